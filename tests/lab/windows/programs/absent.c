/* Copyright (c) 2026, the offboard.iij_id maintainers
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * In the place of programs of Windows of which Wine has stubs that do nothing and say 0, PowerShell first of all:
 * whoever calls one here must not believe that it was done.
 */
#include <windows.h>

int wmain(void)
{
    static const char text[] = "lab: this program of Windows is not here, and nothing was done\r\n";
    DWORD written;
    WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, sizeof text - 1, &written, NULL);
    return ERROR_NOT_SUPPORTED;
}
