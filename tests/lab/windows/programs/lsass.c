/* Copyright (c) 2026, the offboard.iij_id maintainers
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Does the one thing of LSA that a removal meets: loads the registered password filters when the machine
 * starts, and holds them until it stops, so that their files cannot be deleted before a restart.
 */
#include <windows.h>
#include <wchar.h>

int wmain(void)
{
    static WCHAR names[4096];
    DWORD size = sizeof names - 2 * sizeof *names;
    RegGetValueW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Control\\Lsa", L"Notification Packages", RRF_RT_REG_MULTI_SZ, NULL, names, &size);
    for (const WCHAR *name = names; *name; name += wcslen(name) + 1) LoadLibraryW(name);
    Sleep(INFINITE);
    return 0;
}
