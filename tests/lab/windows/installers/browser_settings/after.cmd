rem What administrators set for integrated Windows authentication with IIJ ID, among entries of their own. One command per line, run without cmd.exe.
reg.exe add HKLM\SOFTWARE\Policies\Microsoft\Edge /v AuthServerAllowlist /t REG_SZ /d "*.ad.reiji.example,*.auth.iij.jp" /f /reg:64
reg.exe add "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap\Domains\iij.jp\www1.auth" /v https /t REG_DWORD /d 1 /f /reg:64
reg.exe add "HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\ZoneMap\Domains\reiji.example\intranet" /v https /t REG_DWORD /d 1 /f /reg:64
