/* Copyright (c) 2026, the offboard.iij_id maintainers
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * shutdown.exe for the lab, as Wine's own does nothing and answers 0:
 *   shutdown /r|/s [/t SECONDS] [anything else]    leaves a request that the lab's server carries out
 *   shutdown /a                                    takes it back
 * Exit codes as on Windows: 1190 already scheduled, 1116 nothing to abort, 87 wrong parameters.
 */
#include <windows.h>
#include <stdio.h>
#include <wchar.h>

#define REQUEST L"C:\\windows\\temp\\lab-shutdown-request"
#define DEFAULT_SECONDS 30
#ifndef ERROR_SHUTDOWN_IS_SCHEDULED /* not in older MinGW headers */
#define ERROR_SHUTDOWN_IS_SCHEDULED 1190
#endif

int wmain(int count, wchar_t **words)
{
    wchar_t kind = 0;
    int seconds = DEFAULT_SECONDS;
    for (int i = 1; i < count; i++) {
        if (!_wcsicmp(words[i], L"/r")) kind = 'r';
        else if (!_wcsicmp(words[i], L"/s")) kind = 's';
        else if (!_wcsicmp(words[i], L"/a")) kind = 'a';
        else if (!_wcsicmp(words[i], L"/t") && i + 1 < count) seconds = _wtoi(words[++i]);
    }
    if (kind == 'a') return DeleteFileW(REQUEST) ? 0 : ERROR_NO_SHUTDOWN_IN_PROGRESS;
    if (!kind || seconds < 0) return ERROR_INVALID_PARAMETER;
    HANDLE file = CreateFileW(REQUEST, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return GetLastError() == ERROR_FILE_EXISTS ? ERROR_SHUTDOWN_IS_SCHEDULED : ERROR_ACCESS_DENIED;
    char text[32];
    DWORD written;
    WriteFile(file, text, snprintf(text, sizeof text, "%c %d\n", (char)kind, seconds), &written, NULL);
    CloseHandle(file);
    return 0;
}
