<?php
// Copyright (c) 2026, the offboard.iij_id maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// The keys of a rollover: a signs alone; a still signs while b is announced; b signs alone.
function lab_keys(): array
{
    $stage = json_decode(file_get_contents(getenv('LAB_STATE') . '/behaviour.json'), true)['stage'];
    $now = $stage === 'b' ? 'b' : 'a';
    $keys = ['privatekey' => "$now.key", 'certificate' => "$now.crt", 'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'];
    return $stage === 'ab' ? $keys + ['new_privatekey' => 'b.key', 'new_certificate' => 'b.crt'] : $keys;
}
