// SPDX-License-Identifier: Apache-2.0
// An OpenID provider of other people's making, for tests: node provider.mjs PORT CALLBACK
// Whoever types a name is that person; several clients, so that ways of authentication and
// algorithms of signing differ.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, callback] = process.argv.slice(2);

const jwk = (type, options, more) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use: 'sig', ...more,
});

const client = (id, more = {}) => ({
  client_id: id, client_secret: `secret of ${id}: +/%`, redirect_uris: [callback], ...more,
});

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client('homeport'),
    client('other'),
    client('posting', { token_endpoint_auth_method: 'client_secret_post' }),
    client('es256', { id_token_signed_response_alg: 'ES256' }),
    client('ps256', { id_token_signed_response_alg: 'PS256' }),
    {
      client_id: 'public', redirect_uris: [callback], token_endpoint_auth_method: 'none',
    },
  ],
  jwks: {
    keys: [
      jwk('rsa', { modulusLength: 2048 }, { kid: 'rsa' }),
      jwk('ec', { namedCurve: 'P-256' }, { kid: 'ec', alg: 'ES256' }),
    ],
  },
  cookies: { keys: ['of the tests'] },
  claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({
      sub: id, preferred_username: id, email: `${id}@example.com`, email_verified: id !== 'liar',
    }),
  }),
});

provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
