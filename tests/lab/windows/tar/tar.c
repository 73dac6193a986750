/* Copyright (c) 2026, the offboard.iij_id maintainers
   GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
   SPDX-License-Identifier: GPL-3.0-or-later

   tar -P -c -f - FILE...
   prints an archive of files, as Windows' own (bsdtar) does: paths with slashes, names in UTF-8, in whole records of 20 blocks. A file that cannot be
   read is left out, and the exit code is 1 then. */
#include <windows.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <string.h>

static int put_name(char *header, const char *name)
{
    size_t length = strlen(name);
    const char *cut = name;
    if (length > 100) { /* ustar: what is before some slash goes into the prefix */
        for (cut = name + length - 101; *cut && *cut != '/'; cut++)
            ;
        if (!*cut || cut - name > 155)
            return 0;
        memcpy(header + 345, name, (size_t)(cut - name));
        cut++;
    }
    memcpy(header, cut, strlen(cut));
    return 1;
}

static size_t pad(size_t done, size_t unit)
{
    size_t start = done;
    for (; done % unit; done++)
        putchar(0);
    return done - start;
}

static size_t add(const wchar_t *path)
{
    char header[512] = {0}, name[1024], data[65536];
    LARGE_INTEGER size;
    DWORD got, left;
    unsigned sum = 0;
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE)
        return 0;
    if (!GetFileSizeEx(file, &size) || !WideCharToMultiByte(CP_UTF8, 0, path, -1, name, sizeof name, NULL, NULL))
        return CloseHandle(file), 0;
    for (char *at = name; *at; at++)
        if (*at == '\\')
            *at = '/';
    if (!put_name(header, name))
        return CloseHandle(file), 0;
    sprintf(header + 100, "%07o", 0644);
    sprintf(header + 108, "%07o", 0);
    sprintf(header + 116, "%07o", 0);
    sprintf(header + 124, "%011llo", (unsigned long long)size.QuadPart);
    sprintf(header + 136, "%011o", 0);
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257, "ustar\00000", 8);
    for (int at = 0; at < 512; at++)
        sum += (unsigned char)header[at];
    sprintf(header + 148, "%06o", sum);
    fwrite(header, 1, sizeof header, stdout);
    for (left = (DWORD)size.QuadPart; left && ReadFile(file, data, left < sizeof data ? left : sizeof data, &got, NULL) && got; left -= got)
        fwrite(data, 1, got, stdout);
    CloseHandle(file);
    return 512 + (size_t)size.QuadPart + pad((size_t)size.QuadPart, 512);
}

int wmain(int count, wchar_t **words)
{
    int code = 0;
    size_t done = 0, size;
    if (count < 5 || wcscmp(words[1], L"-P") || wcscmp(words[2], L"-c") || wcscmp(words[3], L"-f") || wcscmp(words[4], L"-"))
        return 2;
    _setmode(_fileno(stdout), _O_BINARY);
    for (int at = 5; at < count; at++) {
        if (!(size = add(words[at]))) {
            fprintf(stderr, "tar: %ls: cannot be read\n", words[at]);
            code = 1;
        }
        done += size;
    }
    for (int at = 0; at < 1024; at++)
        putchar(0);
    pad(done + 1024, 10240);
    return code;
}
