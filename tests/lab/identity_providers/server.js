// Copyright (c) 2026, the offboard.iij_id maintainers
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
// The npm packages samlp and wsfed as Fabrikam's identity providers, and the TLS front of Contoso's simpleSAMLphp.
// Signs everybody in at once: the lab tests what is sent, not who may sign in.
'use strict';
const fs = require('fs'), http = require('http'), https = require('https'), path = require('path');
const need = (name) => require(require.resolve(name, { paths: [process.env.LAB_MODULES] }));
const express = need('express'), samlp = need('samlp'), wsfed = need('wsfed');

const STATE = process.env.LAB_STATE, BASE = process.env.LAB_FABRIKAM;
const LOGIN = 'https://login.microsoftonline.com/login.srf';
const EMAIL = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress';
const IMMUTABLE_ID = 'http://schemas.microsoft.com/LiveID/Federation/2008/05/ImmutableID';

const read = (name) => fs.readFileSync(path.join(STATE, name), 'utf8');
// Read at every request, so that a test can change it while the server runs.
const behaviour = () => JSON.parse(read('behaviour.json'));
const signer = () => (behaviour().stage === 'b' ? 'b' : 'a');
const keys = () => ({ key: read(`${signer()}.key`), cert: read(`${signer()}.crt`) });

function mapper(wsFederation) {
  function Mapper(user) { if (!(this instanceof Mapper)) return new Mapper(user); this.user = user; }
  Mapper.prototype.getClaims = function () {
    const claims = {};
    if (this.user.mail) claims[EMAIL] = this.user.mail;
    if (wsFederation && this.user.immutable_id) claims[IMMUTABLE_ID] = this.user.immutable_id;
    return claims;
  };
  Mapper.prototype.getNameIdentifier = function () {
    return wsFederation
      ? { nameIdentifier: 'guest-1', nameIdentifierFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified' }
      : { nameIdentifier: 'guest-1', nameIdentifierFormat: this.user.name_id_format };
  };
  Mapper.prototype.metadata = [EMAIL, IMMUTABLE_ID].map((id) => ({ id, displayName: id.split('/').pop(), description: id }));
  return Mapper;
}

const common = (wsFederation) => ({
  ...keys(), profileMapper: mapper(wsFederation), getUserFromRequest: () => behaviour(),
  signatureAlgorithm: 'rsa-sha256', digestAlgorithm: 'sha256',
});
const app = express();
app.use((request, response, next) => {
  if (!request.url.startsWith('/simplesaml')) return next();
  const options = { host: '127.0.0.1', port: process.env.LAB_PHP_PORT, method: request.method, path: request.url, headers: request.headers };
  const upstream = http.request(options, (answer) => { response.writeHead(answer.statusCode, answer.headers); answer.pipe(response); });
  upstream.on('error', () => { response.writeHead(502); response.end(); });
  return request.pipe(upstream);
});
app.use(express.urlencoded({ extended: false }));
// Both packages print the Host header into their metadata; the public name belongs there.
app.use((request, response, next) => { request.headers.host = new URL(BASE).host; request.headers['x-forwarded-proto'] = 'https'; next(); });
app.get('/saml/metadata', (...a) => samlp.metadata({
  issuer: behaviour().saml_issuer, cert: keys().cert, profileMapper: mapper(false), redirectEndpointPath: '/saml/sso', postEndpointPath: '/saml/sso',
})(...a));
app.all('/saml/sso', (...a) => samlp.auth({
  ...common(false), issuer: behaviour().saml_issuer, destination: LOGIN, recipient: LOGIN, signResponse: true, signAssertion: true,
  getPostURL: (audience, dom, request, callback) => callback(null, LOGIN),
})(...a));
app.get('/FederationMetadata/2007-06/FederationMetadata.xml', (...a) => wsfed.metadata({
  issuer: behaviour().wsfed_issuer, cert: keys().cert, profileMapper: mapper(true), endpointPath: '/adfs/ls/', mexEndpoint: '/adfs/services/trust/mex',
})(...a));
app.get('/adfs/ls/', (...a) => wsfed.auth({
  ...common(true), issuer: behaviour().wsfed_issuer, getPostURL: (realm, reply, request, callback) => callback(null, LOGIN),
})(...a));
https.createServer({ key: read('server.key'), cert: read('server.pem') }, app).listen(+process.env.LAB_PORT, process.env.LAB_ADDRESS);
