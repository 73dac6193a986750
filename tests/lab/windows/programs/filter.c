/* Copyright (c) 2026, the offboard.iij_id maintainers
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A password filter DLL: the three functions LSA looks for (Microsoft Learn, "Password Filter Programming
 * Considerations"). It accepts every password and keeps none. Wine has no LSA process that would load it.
 */
#include <windows.h>

__declspec(dllexport) BOOLEAN WINAPI InitializeChangeNotify(void) { return TRUE; }

__declspec(dllexport) LONG WINAPI PasswordChangeNotify(void *user, ULONG rid, void *password)
{
    (void)user, (void)rid, (void)password;
    return 0;
}

__declspec(dllexport) BOOLEAN WINAPI PasswordFilter(void *account, void *name, void *password, BOOLEAN set)
{
    (void)account, (void)name, (void)password, (void)set;
    return TRUE;
}
