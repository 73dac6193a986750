/* Copyright (c) 2026, the offboard.iij_id maintainers
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * schtasks.exe for the lab, as Wine's own does nothing and answers 0. It works on the files that Windows
 * keeps: one UTF-16 XML file per task under System32\Tasks, folders as folders. It never runs a task.
 *   /query [/tn NAME] /xml [ONE]
 *   /query [/tn NAME] /fo csv [/nh] [/v]
 *   /change /tn NAME /disable | /enable
 *   /delete /tn NAME [/f]            (asks without /f)
 *   /create /tn NAME /xml FILE [/f] [/ru USER] [/rp PASSWORD]
 *   /end /tn NAME
 * Exit code 0 or 1, messages in Japanese: callers must not read them.
 */
#include <windows.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#define ROOT L"C:\\windows\\system32\\Tasks"
#define PATH_SIZE 2048

static struct {
    BOOL query, change, delete, create, end;
    BOOL xml, csv, no_header, verbose, disable, enable, force;
    const WCHAR *name, *xml_argument;
} options;

static void print(FILE *stream, const WCHAR *text)
{
    UINT page = GetConsoleOutputCP() ? GetConsoleOutputCP() : GetOEMCP();
    int size = WideCharToMultiByte(page, 0, text, -1, NULL, 0, NULL, NULL);
    char *bytes = malloc(size);
    WideCharToMultiByte(page, 0, text, -1, bytes, size, NULL, NULL);
    fwrite(bytes, 1, size - 1, stream);
    free(bytes);
}

static int refuse(const WCHAR *text)
{
    print(stderr, L"エラー: ");
    print(stderr, text);
    print(stderr, L"\r\n");
    return 1;
}

static int succeed(const WCHAR *what)
{
    print(stdout, L"成功: スケジュール タスク \"");
    print(stdout, options.name);
    print(stdout, what);
    print(stdout, L"\r\n");
    return 0;
}

/* the file of a task; names may be given with or without the leading backslash */
static void task_path(const WCHAR *name, WCHAR *path)
{
    swprintf(path, PATH_SIZE, L"%ls\\%ls", ROOT, name + (name[0] == '\\'));
}

static BOOL is_file(const WCHAR *path)
{
    DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && !(attributes & FILE_ATTRIBUTE_DIRECTORY);
}

/* text of an XML file, UTF-16 with byte order mark or UTF-8; NULL when it cannot be read */
static WCHAR *read_text(const WCHAR *path)
{
    FILE *file = _wfopen(path, L"rb");
    if (!file) return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *bytes = calloc(1, size + 2);
    size = fread(bytes, 1, size, file);
    fclose(file);
    WCHAR *text;
    if (size >= 2 && (BYTE)bytes[0] == 0xFF && (BYTE)bytes[1] == 0xFE) text = _wcsdup((WCHAR *)bytes + 1);
    else {
        int skip = size >= 3 && !memcmp(bytes, "\xEF\xBB\xBF", 3) ? 3 : 0;
        text = calloc(size + 1, sizeof *text);
        MultiByteToWideChar(CP_UTF8, 0, bytes + skip, size - skip, text, size + 1);
    }
    free(bytes);
    return text;
}

/* through a temporary name, so that a killed command leaves no half a task */
static BOOL write_text(const WCHAR *path, const WCHAR *text)
{
    WCHAR temporary[PATH_SIZE + 8];
    swprintf(temporary, PATH_SIZE + 8, L"%ls.new", path);
    FILE *file = _wfopen(temporary, L"wb");
    if (!file) return FALSE;
    fwrite(L"\xFEFF", 2, 1, file);
    fwrite(text, sizeof *text, wcslen(text), file);
    fclose(file);
    return MoveFileExW(temporary, path, MOVEFILE_REPLACE_EXISTING);
}

/* text of the first <tag> inside <parent>, entities resolved; "" when absent */
static WCHAR *element(const WCHAR *xml, const WCHAR *parent, const WCHAR *tag)
{
    static const struct { const WCHAR *entity; WCHAR character; } entities[] = {
        {L"&amp;", '&'}, {L"&lt;", '<'}, {L"&gt;", '>'}, {L"&quot;", '"'}, {L"&apos;", '\''}};
    WCHAR open[64], *result = _wcsdup(L"");
    swprintf(open, 64, L"<%ls", parent);
    const WCHAR *start = wcsstr(xml, open);
    swprintf(open, 64, L"</%ls>", parent);
    const WCHAR *limit = start ? wcsstr(start, open) : NULL;
    swprintf(open, 64, L"<%ls>", tag);
    if (!limit || !(start = wcsstr(start, open)) || start > limit) return result;
    start += wcslen(open);
    const WCHAR *end = wcschr(start, '<');
    result = realloc(result, (end - start + 1) * sizeof *result);
    WCHAR *out = result;
    while (start < end) {
        size_t i, length = 1;
        *out = *start;
        for (i = 0; i < sizeof entities / sizeof *entities; i++)
            if (!wcsncmp(start, entities[i].entity, wcslen(entities[i].entity))) *out = entities[i].character, length = wcslen(entities[i].entity);
        out++, start += length;
    }
    *out = 0;
    return result;
}

static void field(const WCHAR *text, BOOL last)
{
    print(stdout, L"\"");
    for (; *text; text++) print(stdout, *text == '"' ? L"\"\"" : (WCHAR[]){*text, 0});
    print(stdout, last ? L"\"\r\n" : L"\",");
}

static void show_csv(const WCHAR *name, const WCHAR *xml)
{
    WCHAR *enabled = element(xml, L"Settings", L"Enabled"), host[256], run[PATH_SIZE];
    BOOL off = !wcscmp(enabled, L"false");
    const WCHAR *state = off ? L"無効" : L"準備完了", *none = L"N/A";
    free(enabled);
    if (!options.verbose) {
        field(name, FALSE), field(none, FALSE), field(state, TRUE);
        return;
    }
    DWORD size = 256;
    GetComputerNameW(host, &size);
    WCHAR *command = element(xml, L"Exec", L"Command"), *arguments = element(xml, L"Exec", L"Arguments");
    WCHAR *folder = element(xml, L"Exec", L"WorkingDirectory"), *user = element(xml, L"Principals", L"UserId");
    WCHAR *author = element(xml, L"RegistrationInfo", L"Author"), *comment = element(xml, L"RegistrationInfo", L"Description");
    swprintf(run, PATH_SIZE, L"%ls %ls", command, arguments);
    const WCHAR *head[] = {host, name, none, state, L"対話型/バックグラウンド", none, L"0", *author ? author : none, run,
                           *folder ? folder : none, *comment ? comment : none, off ? L"無効" : L"有効"};
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) field(head[i], FALSE);
    field(L"無効", FALSE), field(L"", FALSE), field(user, FALSE);
    for (int i = 15; i < 28; i++) field(none, i == 27);
    free(command), free(arguments), free(folder), free(user), free(author), free(comment);
}

static void show(const WCHAR *name, const WCHAR *path)
{
    WCHAR *xml = read_text(path);
    if (!xml) return;
    if (!options.xml) show_csv(name, xml);
    else {
        const WCHAR *body = xml;
        if (!options.name) {
            print(stdout, L"<!-- "), print(stdout, name), print(stdout, L" -->\r\n");
            /* inside <Tasks> there is no room for a declaration of its own */
            if (options.xml_argument && !wcsncmp(body, L"<?xml", 5)) body = wcschr(body, '>') + 1;
            while (*body == '\r' || *body == '\n') body++;
        }
        print(stdout, body);
        print(stdout, options.name ? L"\r\n" : L"\r\n\r\n\r\n");
    }
    free(xml);
}

/* every task under a folder; `name` is the folder's name as schtasks writes it, "" for the root */
static void walk(const WCHAR *name)
{
    WCHAR pattern[PATH_SIZE], child[PATH_SIZE], path[PATH_SIZE];
    WIN32_FIND_DATAW found;
    swprintf(pattern, PATH_SIZE, L"%ls%ls\\*", ROOT, name);
    HANDLE search = FindFirstFileW(pattern, &found);
    if (search == INVALID_HANDLE_VALUE) return;
    do {
        if (!wcscmp(found.cFileName, L".") || !wcscmp(found.cFileName, L"..")) continue;
        swprintf(child, PATH_SIZE, L"%ls\\%ls", name, found.cFileName);
        swprintf(path, PATH_SIZE, L"%ls%ls", ROOT, child);
        if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) walk(child);
        else show(child, path);
    } while (FindNextFileW(search, &found));
    FindClose(search);
}

static int query(void)
{
    if (!options.xml && !options.csv) return refuse(L"/xml か /fo csv を指定してください (lab)。");
    if (!options.xml && !options.no_header)
        print(stdout, options.verbose ? L"\"ホスト名\",\"タスク名\",\"...\"\r\n" : L"\"タスク名\",\"次回の実行時刻\",\"状態\"\r\n");
    if (options.name) {
        WCHAR path[PATH_SIZE], shown[PATH_SIZE];
        task_path(options.name, path);
        if (!is_file(path)) return refuse(L"指定されたファイルが見つかりません。");
        swprintf(shown, PATH_SIZE, L"%ls%ls", options.name[0] == '\\' ? L"" : L"\\", options.name);
        show(shown, path);
        return 0;
    }
    if (options.xml && options.xml_argument) print(stdout, L"<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Tasks>\r\n");
    walk(L"");
    if (options.xml && options.xml_argument) print(stdout, L"</Tasks>\r\n");
    return 0;
}

/* Settings/Enabled set; every other character of the definition stays as it was */
static int change(const WCHAR *path)
{
    const WCHAR *value = options.disable ? L"false" : L"true";
    WCHAR *xml = read_text(path), *settings = wcsstr(xml, L"<Settings"), *end = settings ? wcsstr(settings, L"</Settings>") : NULL;
    if (!end) return refuse(L"タスクの XML が正しくありません。");
    WCHAR *from = wcsstr(settings, L"<Enabled>"), *to;
    if (from && from < end) to = wcsstr(from, L"</Enabled>") + wcslen(L"</Enabled>");
    else from = to = end;
    size_t size = wcslen(xml) + 64;
    WCHAR *changed = malloc(size * sizeof *changed);
    swprintf(changed, size, L"%.*ls<Enabled>%ls</Enabled>%ls", (int)(from - xml), xml, value, to);
    BOOL written = write_text(path, changed);
    free(xml), free(changed);
    return written ? succeed(L"\" のパラメーターが変更されました。") : refuse(L"アクセスが拒否されました。");
}

static int delete(const WCHAR *path)
{
    if (!options.force) {
        print(stdout, L"警告: タスクを削除しますか (Y/N)? ");
        fflush(stdout);
        int answer = getchar();
        if (answer != 'y' && answer != 'Y') return 1;
    }
    return DeleteFileW(path) ? succeed(L"\" は正しく削除されました。") : refuse(L"アクセスが拒否されました。");
}

/* a definition as Windows keeps it, whatever came in: declared as UTF-16, lines ended with CR LF */
static WCHAR *as_kept(const WCHAR *xml)
{
    static const WCHAR declared[] = L"encoding=\"UTF-8\"", kept_as[] = L"encoding=\"UTF-16\"";
    WCHAR *kept = malloc((2 * wcslen(xml) + 8) * sizeof *kept), *out = kept;
    while (*xml) {
        if (!wcsncmp(xml, declared, wcslen(declared))) {
            wcscpy(out, kept_as);
            out += wcslen(kept_as), xml += wcslen(declared);
            continue;
        }
        if (*xml == '\n' && (out == kept || out[-1] != '\r')) *out++ = '\r';
        *out++ = *xml++;
    }
    *out = 0;
    return kept;
}

static int create(WCHAR *path)
{
    if (!options.xml_argument) return refuse(L"/xml ファイルを指定してください (lab)。");
    if (is_file(path) && !options.force) return refuse(L"タスクは既に存在します。/f を指定してください (lab)。");
    WCHAR *xml = read_text(options.xml_argument);
    if (!xml) return refuse(L"指定されたファイルが見つかりません。");
    if (!wcsstr(xml, L"<Task ") || !wcsstr(xml, L"</Task>")) return refuse(L"タスクの XML が正しくありません。");
    for (WCHAR *p = path + wcslen(ROOT) + 1; (p = wcschr(p, '\\')); p++) {
        *p = 0;
        CreateDirectoryW(path, NULL);
        *p = '\\';
    }
    WCHAR *kept = as_kept(xml);
    BOOL written = write_text(path, kept);
    free(xml), free(kept);
    return written ? succeed(L"\" は正しく作成されました。") : refuse(L"アクセスが拒否されました。");
}

int wmain(int count, wchar_t **words)
{
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    struct { const WCHAR *word; BOOL *flag; } flags[] = {
        {L"/query", &options.query}, {L"/change", &options.change}, {L"/delete", &options.delete}, {L"/create", &options.create},
        {L"/end", &options.end}, {L"/xml", &options.xml}, {L"/nh", &options.no_header}, {L"/v", &options.verbose},
        {L"/disable", &options.disable}, {L"/enable", &options.enable}, {L"/f", &options.force}};
    for (int i = 1; i < count; i++) {
        size_t k;
        for (k = 0; k < sizeof flags / sizeof *flags && _wcsicmp(words[i], flags[k].word); k++);
        BOOL more = i + 1 < count && words[i + 1][0] != '/';
        if (k < sizeof flags / sizeof *flags) {
            *flags[k].flag = TRUE;
            if (flags[k].flag == &options.xml && more) options.xml_argument = words[++i];
        }
        else if (!_wcsicmp(words[i], L"/tn") && more) options.name = words[++i];
        else if (!_wcsicmp(words[i], L"/fo") && more) options.csv = !_wcsicmp(words[++i], L"csv");
        else if ((!_wcsicmp(words[i], L"/ru") || !_wcsicmp(words[i], L"/rp")) && more) i++;
        else return refuse(L"無効な引数またはオプションです。");
    }
    if (options.query) return query();
    WCHAR path[PATH_SIZE];
    if (!options.name || !(options.change || options.delete || options.create || options.end)) return refuse(L"無効な構文です。");
    task_path(options.name, path);
    if (options.create) return create(path);
    if (!is_file(path)) return refuse(L"指定されたファイルが見つかりません。");
    if (options.delete) return delete(path);
    if (options.end) return succeed(L"\" の終了が試行されました。");
    return options.disable || options.enable ? change(path) : refuse(L"無効な構文です。");
}
