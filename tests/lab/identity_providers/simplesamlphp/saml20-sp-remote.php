<?php
// Copyright (c) 2026, the offboard.iij_id maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// Entra, as today's requests introduce it.
$metadata[getenv('LAB_AUDIENCE')] = [
    'AssertionConsumerService' => 'https://login.microsoftonline.com/login.srf',
    'NameIDFormat' => json_decode(file_get_contents(getenv('LAB_STATE') . '/behaviour.json'), true)['name_id_format'],
];
