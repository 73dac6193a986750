/* Copyright (c) 2026, the offboard.iij_id maintainers
   GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
   SPDX-License-Identifier: GPL-3.0-or-later

   certutil -encode FILE NEWFILE | -delstore STORE SHA1 | -csp PROVIDER -delkey CONTAINER
   on the machine's stores of Wine's real crypt32 and on its real key containers. Exit codes are HRESULTs, as those of Windows' own.
   A provider that Wine has not (all of CNG) is refused. */
#include <windows.h>
#include <wincrypt.h>
#include <stdio.h>
#include <stdlib.h>

static int ended(const wchar_t *verb, DWORD code)
{
    if (code)
        printf("CertUtil: -%ls command FAILED: 0x%lx\r\n", verb, code);
    else
        printf("CertUtil: -%ls command completed successfully.\r\n", verb);
    return (int)code;
}

static DWORD delete_certificate(const wchar_t *name, const wchar_t *wanted)
{
    PCCERT_CONTEXT found = NULL;
    DWORD code = (DWORD)NTE_NOT_FOUND;
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, name);
    if (!store)
        return GetLastError();
    while ((found = CertEnumCertificatesInStore(store, found))) {
        BYTE hash[20];
        DWORD size = sizeof hash;
        wchar_t text[41];
        CertGetCertificateContextProperty(found, CERT_HASH_PROP_ID, hash, &size);
        for (DWORD at = 0; at < size; at++)
            swprintf(text + at * 2, 3, L"%02X", hash[at]);
        if (_wcsicmp(text, wanted))
            continue;
        /* deleting frees what it is given */
        code = CertDeleteCertificateFromStore(CertDuplicateCertificateContext(found)) ? 0 : GetLastError();
        CertFreeCertificateContext(found);
        if (!code && !CertControlStore(store, 0, CERT_STORE_CTRL_COMMIT, NULL))
            code = GetLastError();
        break;
    }
    CertCloseStore(store, 0);
    return code;
}

static DWORD delete_key(const wchar_t *provider, const wchar_t *container)
{
    HCRYPTPROV handle;
    if (!CryptAcquireContextW(&handle, container, provider, PROV_RSA_FULL, CRYPT_MACHINE_KEYSET))
        return GetLastError();
    CryptReleaseContext(handle, 0);
    return CryptAcquireContextW(&handle, container, provider, PROV_RSA_FULL, CRYPT_DELETEKEYSET | CRYPT_MACHINE_KEYSET) ? 0 : GetLastError();
}

static DWORD encode(const wchar_t *from, const wchar_t *to)
{
    DWORD code = 0, size, length = 0, done;
    BYTE *data = NULL;
    char *text = NULL;
    HANDLE target, source = CreateFileW(from, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (source == INVALID_HANDLE_VALUE)
        return HRESULT_FROM_WIN32(GetLastError());
    size = GetFileSize(source, NULL);
    if (!(data = malloc(size + 1)) || !ReadFile(source, data, size, &done, NULL) || !CryptBinaryToStringA(data, size, CRYPT_STRING_BASE64HEADER, NULL, &length)
        || !(text = malloc(length + 1)) || !CryptBinaryToStringA(data, size, CRYPT_STRING_BASE64HEADER, text, &length))
        code = (DWORD)E_FAIL;
    CloseHandle(source);
    if (!code) {
        target = CreateFileW(to, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
        if (target == INVALID_HANDLE_VALUE)
            code = HRESULT_FROM_WIN32(GetLastError());
        else {
            if (!WriteFile(target, text, length, &done, NULL))
                code = HRESULT_FROM_WIN32(GetLastError());
            CloseHandle(target);
        }
    }
    free(data);
    free(text);
    return code;
}

int wmain(int count, wchar_t **words)
{
    if (count == 4 && !_wcsicmp(words[1], L"-encode"))
        return ended(L"encode", encode(words[2], words[3]));
    if (count == 4 && !_wcsicmp(words[1], L"-delstore"))
        return ended(L"delstore", delete_certificate(words[2], words[3]));
    if (count == 5 && !_wcsicmp(words[1], L"-csp") && !_wcsicmp(words[3], L"-delkey"))
        return ended(L"delkey", delete_key(words[2], words[4]));
    return ended(L"?", (DWORD)E_INVALIDARG);
}
