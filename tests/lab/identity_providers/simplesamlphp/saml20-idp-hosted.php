<?php
// Copyright (c) 2026, the offboard.iij_id maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
require_once __DIR__ . '/keys.php';
$format = json_decode(file_get_contents(getenv('LAB_STATE') . '/behaviour.json'), true)['name_id_format'];
$metadata[getenv('LAB_CONTOSO') . '/simplesaml/idp'] = lab_keys() + [
    'host' => '__DEFAULT__',
    'auth' => 'auto',
    'saml20.sign.response' => true,
    'saml20.sign.assertion' => true,
    'NameIDFormat' => $format,
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
    'authproc' => [
        1 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid', 'Format' => $format],
        2 => ['class' => 'core:AttributeLimit', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress'],
    ],
];
