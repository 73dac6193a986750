/* Copyright (c) 2026, the offboard.iij_id maintainers
   GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
   SPDX-License-Identifier: GPL-3.0-or-later

   certutil -delstore STORE SHA1 | -csp PROVIDER -delkey CONTAINER
   on the machine's stores of Wine's real crypt32 and on its real key containers. Exit codes are HRESULTs, as those of Windows' own.
   A provider that Wine has not (all of CNG) is refused. */
#include <windows.h>
#include <wincrypt.h>
#include <stdio.h>

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

int wmain(int count, wchar_t **words)
{
    if (count == 4 && !_wcsicmp(words[1], L"-delstore"))
        return ended(L"delstore", delete_certificate(words[2], words[3]));
    if (count == 5 && !_wcsicmp(words[1], L"-csp") && !_wcsicmp(words[3], L"-delkey"))
        return ended(L"delkey", delete_key(words[2], words[4]));
    return ended(L"?", (DWORD)E_INVALIDARG);
}
