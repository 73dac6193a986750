/* Copyright (c) 2026, the offboard.iij_id maintainers
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * fsutil.exe for the lab: the one command Wine's lacks and a removal of secrets needs,
 *   fsutil file setzerodata offset=N length=N FILE
 * which overwrites that part of an existing file with zeros. Exit code 0 or 1.
 */
#include <windows.h>
#include <wchar.h>

int wmain(int count, wchar_t **words)
{
    if (count != 6 || _wcsicmp(words[1], L"file") || _wcsicmp(words[2], L"setzerodata") || _wcsnicmp(words[3], L"offset=", 7) ||
        _wcsnicmp(words[4], L"length=", 7))
        return 1;
    LARGE_INTEGER offset = {.QuadPart = _wtoi64(words[3] + 7)};
    HANDLE file = CreateFileW(words[5], GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE || !SetFilePointerEx(file, offset, NULL, FILE_BEGIN)) return 1;
    static const BYTE zeros[65536];
    for (LONGLONG left = _wtoi64(words[4] + 7); left > 0;) {
        DWORD size = left < (LONGLONG)sizeof zeros ? (DWORD)left : sizeof zeros, written;
        if (!WriteFile(file, zeros, size, &written, NULL) || !written) return 1;
        left -= written;
    }
    return FlushFileBuffers(file) ? 0 : 1;
}
