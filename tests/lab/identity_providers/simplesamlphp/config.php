<?php
// Copyright (c) 2026, the offboard.iij_id maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Contoso's simpleSAMLphp: everything but what the other files in this folder say is the default.
$state = getenv('LAB_STATE');
$config = [
    'baseurlpath' => getenv('LAB_CONTOSO') . '/simplesaml/',
    'certdir' => "$state/",
    'loggingdir' => "$state/ssp-log/",
    'datadir' => "$state/ssp-data/",
    'tempdir' => "$state/ssp-tmp/",
    'metadatadir' => getenv('LAB_SSP_CONFIG') . '/',
    'logging.handler' => 'file',
    'secretsalt' => 'not a secret: the lab signs everybody in',
    'auth.adminpassword' => '*',
    'technicalcontact_email' => 'na@contoso.example',
    'enable.saml20-idp' => true,
    'enable.adfs-idp' => true,
    'module.enable' => ['exampleauth' => true, 'adfs' => true, 'saml' => true, 'core' => true],
    'store.type' => 'phpsession',
    'session.cookie.secure' => true,
    'session.phpsession.cookiename' => 'SimpleSAML',
    'session.phpsession.savepath' => "$state/ssp-tmp/",
    'metadata.sign.enable' => true,
    'metadata.sign.privatekey' => (json_decode(file_get_contents("$state/behaviour.json"), true)['stage'] === 'b' ? 'b' : 'a') . '.key',
    'metadata.sign.certificate' => (json_decode(file_get_contents("$state/behaviour.json"), true)['stage'] === 'b' ? 'b' : 'a') . '.crt',
    'metadata.sign.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'metadata.sources' => [['type' => 'flatfile', 'directory' => getenv('LAB_SSP_CONFIG')]],
    'trusted.url.domains' => ['login.microsoftonline.com'],
];
