rem Password filters as on a domain controller with another vendor's filter. One command per line, run without cmd.exe.
reg.exe add HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v "Notification Packages" /t REG_MULTI_SZ /d "rassfm\0scecli\0acmepwfilter" /f
