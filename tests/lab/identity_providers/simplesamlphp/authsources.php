<?php
// Copyright (c) 2026, the offboard.iij_id maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// One user, signed in without a question.
$behaviour = json_decode(file_get_contents(getenv('LAB_STATE') . '/behaviour.json'), true);
$user = ['exampleauth:StaticSource', 'uid' => ['guest-1']];
if ($behaviour['mail']) {
    $user['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress'] = [$behaviour['mail']];
}
if ($behaviour['immutable_id']) {
    $user['http://schemas.microsoft.com/LiveID/Federation/2008/05/ImmutableID'] = [$behaviour['immutable_id']];
}
$config = ['auto' => $user];
