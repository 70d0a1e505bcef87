/** The settings of users: the first administrator, passwords, registration, OpenID Connect. */
import { texts } from '../kinds/collections.ts'
import { bool, filledText, newPassword, text, wholeNumber } from '../kinds/scalars.ts'
import type { Setting } from './setting.ts'

export const ACCOUNT_SETTINGS = {
  GOTIFY_DEFAULTUSER_NAME: {
    kind: filledText,
    default: 'admin',
    doc: 'Name of the first administrator. Used once, when the database is made.',
  },
  GOTIFY_DEFAULTUSER_PASS: {
    kind: newPassword,
    default: 'admin',
    doc: 'Password of the first administrator. Used once, when the database is made. bcrypt reads no more than 72 bytes.',
    secret: true,
  },
  GOTIFY_PASSSTRENGTH: {
    kind: wholeNumber(4, 18),
    default: '10',
    doc: 'bcrypt cost of new password hashes; one more doubles the time. At 18 a login takes some 15 seconds; above, no answer comes in time.',
  },
  GOTIFY_REGISTRATION: {
    kind: bool,
    default: 'false',
    doc: 'Let anybody make an account.',
  },
  GOTIFY_OIDC_ENABLED: {
    kind: bool,
    default: 'false',
    doc: 'Let users sign in through an OpenID Connect provider.',
  },
  GOTIFY_OIDC_ISSUER: {
    kind: text,
    default: '',
    doc: 'URL of the provider, without /.well-known/openid-configuration.',
  },
  GOTIFY_OIDC_CLIENTID: {
    kind: text,
    default: '',
    doc: 'Client id registered with the provider.',
  },
  GOTIFY_OIDC_CLIENTSECRET: {
    kind: text,
    default: '',
    doc: 'Client secret registered with the provider.',
    secret: true,
  },
  GOTIFY_OIDC_REDIRECTURL: {
    kind: text,
    default: '',
    doc: 'URL the provider sends users back to; ends in /auth/oidc/callback.',
  },
  GOTIFY_OIDC_USERNAMECLAIM: {
    kind: text,
    default: 'preferred_username',
    doc: 'Claim about the user that becomes the name of a new account.',
  },
  GOTIFY_OIDC_AUTOREGISTER: {
    kind: bool,
    default: 'true',
    doc: 'Make an account at the first sign-in of somebody unknown.',
  },
  GOTIFY_OIDC_LINK_BY_USERNAME: {
    kind: bool,
    default: 'false',
    doc: 'Let a first sign-in take over the account that has its name already.',
  },
  GOTIFY_OIDC_SCOPES: {
    kind: texts,
    default: 'openid,profile,email',
    doc: 'Scopes asked of the provider.',
  },
} as const satisfies Record<string, Setting<unknown>>
