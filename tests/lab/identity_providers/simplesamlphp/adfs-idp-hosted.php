<?php
// Copyright (c) 2026, the offboard.iij_id maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
require_once __DIR__ . '/keys.php';
$metadata['urn:contoso:adfs:idp'] = lab_keys() + [
    'host' => '__DEFAULT__',
    'auth' => 'auto',
    'authproc' => [
        2 => [
            'class' => 'core:AttributeLimit', 'uid', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
            'http://schemas.microsoft.com/LiveID/Federation/2008/05/ImmutableID',
        ],
    ],
];
