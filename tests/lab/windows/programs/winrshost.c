/* Copyright (c) 2026, the offboard.iij_id maintainers
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * winrshost: the part of the WinRM service that must itself be a Windows process. One per machine.
 *
 * It starts commands with CreateProcessW, because a command line handed over by Wine's Unix loader is
 * quoted anew, and it reports the whole 32-bit exit code, of which Unix would keep 8 bits (1605 -> 69).
 * As on Windows, what a command leaves running lives on in its job until the shell is deleted, and then dies.
 *
 * Frames on standard input and output, little endian: u8 type, u32 command id, u32 length, payload.
 *   in : 1 START   cwd \0 command line \0 (name=value \0)* \0, UTF-16
 *        2 INPUT   bytes for the command's standard input
 *        3 EOF     close the command's standard input
 *        4 KILL    end the command and all its children
 *        5 FORGET  the same, and forget the command (its shell is deleted)
 *   out: 10 STDOUT bytes   11 STDERR bytes   12 EXIT u32   13 REFUSED u32 (Win32 error)   14 STARTED
 */
#include <windows.h>
#include <stdlib.h>
#include <string.h>

enum { IN_START = 1, IN_INPUT, IN_EOF, IN_KILL, IN_FORGET, OUT_STDOUT = 10, OUT_STDERR, OUT_EXIT, OUT_REFUSED, OUT_STARTED };
#define EXIT_KILLED 0xC000013A /* STATUS_CONTROL_C_EXIT, as WinRM's ctrl-c gives */
/* how long output may trickle in after the process has ended while a child left running holds the pipes open */
#define DRAIN_MS 500
/* how often that is waited where no child is left: the output is all in the pipes, however busy this machine is */
#define DRAINS 120

typedef struct chunk {
    struct chunk *next;
    DWORD size;
    BYTE bytes[];
} chunk;

typedef struct command {
    struct command *next;
    DWORD id;
    LONG references;
    HANDLE process, job, input, readers[2];
    /* what still has to be written to standard input; a thread writes it, as the command may never read it */
    CRITICAL_SECTION lock;
    CONDITION_VARIABLE changed;
    chunk *first, **last;
    BOOL input_ended;
} command;

typedef struct {
    HANDLE pipe;
    BYTE type;
    DWORD id;
} reader_arguments;

static HANDLE from_server, to_server;
static CRITICAL_SECTION output_lock;
static command *commands; /* touched by the main thread only */

static void write_all(const void *data, DWORD size)
{
    const char *next = data;
    for (DWORD written; size; next += written, size -= written)
        if (!WriteFile(to_server, next, size, &written, NULL) || !written) ExitProcess(3);
}

static void send_frame(BYTE type, DWORD id, const void *data, DWORD size)
{
    BYTE head[9];
    head[0] = type;
    memcpy(head + 1, &id, 4);
    memcpy(head + 5, &size, 4);
    EnterCriticalSection(&output_lock);
    write_all(head, sizeof head);
    if (size) write_all(data, size);
    LeaveCriticalSection(&output_lock);
}

static BOOL read_all(void *data, DWORD size)
{
    char *next = data;
    for (DWORD got; size; next += got, size -= got)
        if (!ReadFile(from_server, next, size, &got, NULL) || !got) return FALSE;
    return TRUE;
}

static void release(command *c)
{
    if (InterlockedDecrement(&c->references)) return;
    for (chunk *k = c->first, *next; k; k = next) next = k->next, free(k);
    CloseHandle(c->process);
    CloseHandle(c->job);
    DeleteCriticalSection(&c->lock);
    free(c);
}

static DWORD WINAPI read_output(void *argument)
{
    reader_arguments a = *(reader_arguments *)argument;
    static const DWORD size = 32768;
    char *buffer = malloc(size);
    free(argument);
    for (DWORD got; ReadFile(a.pipe, buffer, size, &got, NULL) && got;) send_frame(a.type, a.id, buffer, got);
    free(buffer);
    CloseHandle(a.pipe);
    return 0;
}

static HANDLE start_reader(HANDLE pipe, BYTE type, DWORD id)
{
    reader_arguments *a = malloc(sizeof *a);
    *a = (reader_arguments){pipe, type, id};
    return CreateThread(NULL, 0, read_output, a, 0, NULL);
}

static DWORD WINAPI write_input(void *argument)
{
    command *c = argument;
    for (;;) {
        EnterCriticalSection(&c->lock);
        while (!c->first && !c->input_ended) SleepConditionVariableCS(&c->changed, &c->lock, INFINITE);
        chunk *k = c->first;
        if (k && !(c->first = k->next)) c->last = &c->first;
        LeaveCriticalSection(&c->lock);
        if (!k) break;
        DWORD written;
        WriteFile(c->input, k->bytes, k->size, &written, NULL); /* fails when the command has ended: nothing to do */
        free(k);
    }
    CloseHandle(c->input);
    release(c);
    return 0;
}

static BOOL childless(HANDLE job)
{
    JOBOBJECT_BASIC_ACCOUNTING_INFORMATION info;
    return QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &info, sizeof info, NULL) && !info.ActiveProcesses;
}

static DWORD WINAPI await_exit(void *argument)
{
    command *c = argument;
    DWORD code = 0;
    int drains = DRAINS;
    WaitForSingleObject(c->process, INFINITE);
    GetExitCodeProcess(c->process, &code);
    while (WaitForMultipleObjects(2, c->readers, TRUE, DRAIN_MS) == WAIT_TIMEOUT && --drains && childless(c->job)) {}
    CloseHandle(c->readers[0]);
    CloseHandle(c->readers[1]);
    send_frame(OUT_EXIT, c->id, &code, sizeof code);
    EnterCriticalSection(&c->lock);
    c->input_ended = TRUE;
    LeaveCriticalSection(&c->lock);
    WakeConditionVariable(&c->changed);
    release(c);
    return 0;
}

static size_t block_length(const WCHAR *block)
{
    const WCHAR *p = block;
    while (*p) p += wcslen(p) + 1;
    return p - block;
}

/* our own environment with the shell's variables in front: the first of two equal names is found */
static WCHAR *merged_environment(const WCHAR *extra)
{
    WCHAR *own = GetEnvironmentStringsW();
    size_t n = block_length(extra), m = block_length(own);
    WCHAR *all = malloc((n + m + 1) * sizeof *all);
    memcpy(all, extra, n * sizeof *all);
    memcpy(all + n, own, (m + 1) * sizeof *all);
    FreeEnvironmentStringsW(own);
    return all;
}

static void start(DWORD id, WCHAR *cwd)
{
    WCHAR *line = cwd + wcslen(cwd) + 1, *environment = merged_environment(line + wcslen(line) + 1);
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};
    HANDLE in[2], out[2], err[2];
    CreatePipe(&in[0], &in[1], &inherited, 0);
    CreatePipe(&out[0], &out[1], &inherited, 0);
    CreatePipe(&err[0], &err[1], &inherited, 0);
    SetHandleInformation(in[1], HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(out[0], HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(err[0], HANDLE_FLAG_INHERIT, 0);
    STARTUPINFOW si = {.cb = sizeof si, .dwFlags = STARTF_USESTDHANDLES, .hStdInput = in[0], .hStdOutput = out[1], .hStdError = err[1]};
    PROCESS_INFORMATION pi;
    BOOL started = CreateProcessW(NULL, line, NULL, NULL, TRUE, CREATE_SUSPENDED | CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT,
                                  environment, *cwd ? cwd : NULL, &si, &pi);
    DWORD error = GetLastError();
    free(environment);
    CloseHandle(in[0]);
    CloseHandle(out[1]);
    CloseHandle(err[1]);
    if (!started) {
        CloseHandle(in[1]);
        CloseHandle(out[0]);
        CloseHandle(err[0]);
        send_frame(OUT_REFUSED, id, &error, sizeof error);
        return;
    }
    command *c = calloc(1, sizeof *c);
    c->id = id;
    c->references = 3; /* the list, the exit thread, the input thread */
    c->process = pi.hProcess;
    c->job = CreateJobObjectW(NULL, NULL);
    c->input = in[1];
    c->last = &c->first;
    InitializeCriticalSection(&c->lock);
    InitializeConditionVariable(&c->changed);
    c->next = commands;
    commands = c;
    AssignProcessToJobObject(c->job, c->process);
    send_frame(OUT_STARTED, id, NULL, 0);
    c->readers[0] = start_reader(out[0], OUT_STDOUT, id);
    c->readers[1] = start_reader(err[0], OUT_STDERR, id);
    CloseHandle(CreateThread(NULL, 0, write_input, c, 0, NULL));
    CloseHandle(CreateThread(NULL, 0, await_exit, c, 0, NULL));
    ResumeThread(pi.hThread);
    CloseHandle(pi.hThread);
}

static void queue_input(command *c, const BYTE *bytes, DWORD size, BOOL end)
{
    EnterCriticalSection(&c->lock);
    if (size) {
        chunk *k = malloc(sizeof *k + size);
        k->next = NULL;
        k->size = size;
        memcpy(k->bytes, bytes, size);
        *c->last = k;
        c->last = &k->next;
    }
    if (end) c->input_ended = TRUE;
    LeaveCriticalSection(&c->lock);
    WakeConditionVariable(&c->changed);
}

int wmain(void)
{
    BYTE head[9];
    from_server = GetStdHandle(STD_INPUT_HANDLE);
    to_server = GetStdHandle(STD_OUTPUT_HANDLE);
    SetHandleInformation(from_server, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(to_server, HANDLE_FLAG_INHERIT, 0);
    InitializeCriticalSection(&output_lock);
    while (read_all(head, sizeof head)) {
        DWORD id, size;
        memcpy(&id, head + 1, 4);
        memcpy(&size, head + 5, 4);
        BYTE *payload = calloc(1, size + 8); /* the zeros end the last string, whatever was sent */
        if (size && !read_all(payload, size)) break;
        command **place = &commands;
        while (*place && (*place)->id != id) place = &(*place)->next;
        command *c = *place;
        if (head[0] == IN_START) start(id, (WCHAR *)payload);
        else if (c) switch (head[0]) {
            case IN_INPUT: queue_input(c, payload, size, FALSE); break;
            case IN_EOF: queue_input(c, NULL, 0, TRUE); break;
            case IN_KILL: TerminateJobObject(c->job, EXIT_KILLED); break;
            case IN_FORGET:
                TerminateJobObject(c->job, EXIT_KILLED);
                *place = c->next;
                release(c);
                break;
        }
        free(payload);
    }
    return 0;
}
