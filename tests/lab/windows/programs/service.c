/* Copyright (c) 2026, the offboard.iij_id maintainers
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A small real Windows service for the products that come with one: runs until it is told to stop.
 * Started with the word "hang" it never ends: what a fault of the lab makes an uninstaller wait for.
 */
#include <windows.h>
#include <wchar.h>

static SERVICE_STATUS status = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS};
static SERVICE_STATUS_HANDLE service;
static HANDLE stopped;

static void report(DWORD state)
{
    status.dwCurrentState = state;
    status.dwControlsAccepted = state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP : 0;
    SetServiceStatus(service, &status);
}

static DWORD WINAPI control(DWORD code, DWORD type, void *data, void *context)
{
    (void)type, (void)data, (void)context;
    if (code == SERVICE_CONTROL_INTERROGATE) return NO_ERROR;
    if (code != SERVICE_CONTROL_STOP) return ERROR_CALL_NOT_IMPLEMENTED;
    report(SERVICE_STOP_PENDING);
    SetEvent(stopped);
    return NO_ERROR;
}

static void WINAPI service_main(DWORD count, LPWSTR *words)
{
    (void)count;
    service = RegisterServiceCtrlHandlerExW(words[0], control, NULL);
    stopped = CreateEventW(NULL, TRUE, FALSE, NULL);
    report(SERVICE_RUNNING);
    WaitForSingleObject(stopped, INFINITE);
    report(SERVICE_STOPPED);
}

int wmain(int count, wchar_t **words)
{
    if (count > 1 && !wcscmp(words[1], L"hang")) Sleep(INFINITE);
    SERVICE_TABLE_ENTRYW table[] = {{(wchar_t[]){L""}, service_main}, {NULL, NULL}};
    return StartServiceCtrlDispatcherW(table) ? 0 : (int)GetLastError();
}
