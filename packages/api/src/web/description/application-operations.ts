/** The description of applications and of plugins, which are none here. */
import { type Operations, type Parameter, ref, listOf, TEXT } from './operation.ts'

/** Also for clients. */
export const LEGACY_TOKEN: Parameter = {
  name: 'legacyToken',
  type: 'boolean',
  description:
    'True: a token of 15 characters, as Gotify 2 made them, for senders that take no other. Bellwire alone has it.',
}

const unknownPlugin = { tag: 'plugin', refusals: [404] } as const

export const APPLICATION_OPERATIONS: Operations = {
  'GET /application': {
    id: 'getApps',
    tag: 'application',
    summary: 'List the applications',
    answer: listOf('Application'),
  },
  'POST /application': {
    id: 'createApp',
    tag: 'application',
    summary: 'Make an application',
    details: 'The answer is the only one that holds its token.',
    parameters: [LEGACY_TOKEN],
    body: 'ApplicationParams',
    answer: ref('Application'),
  },
  'PUT /application/{id}': {
    id: 'updateApplication',
    tag: 'application',
    summary: 'Change an application',
    body: 'ApplicationParams',
    answer: ref('Application'),
    refusals: [404],
  },
  'DELETE /application/{id}': {
    id: 'deleteApp',
    tag: 'application',
    summary: 'Delete an application and its messages',
    refusals: [404],
  },
  'PUT /application/{id}/security': {
    id: 'updateApplicationSecurity',
    tag: 'application',
    summary: 'Give an application a new token',
    body: 'ApplicationSecurityParams',
    answer: ref('ApplicationSecurity'),
    refusals: [404],
  },
  'POST /application/{id}/image': {
    id: 'uploadAppImage',
    tag: 'application',
    summary: 'Upload the picture of an application',
    details: 'A GIF, JPEG or PNG file of at most 32 MiB.',
    upload: true,
    answer: ref('Application'),
    refusals: [400, 404, 413],
  },
  'DELETE /application/{id}/image': {
    id: 'removeAppImage',
    tag: 'application',
    summary: 'Go back to the default picture',
    answer: ref('Application'),
    refusals: [404],
  },
  'GET /image/{name}': {
    id: 'getImage',
    tag: 'application',
    summary: 'Read the picture of an application',
    answer: { type: 'file' },
    refusals: [404],
  },
  'GET /plugin': {
    id: 'getPlugins',
    tag: 'plugin',
    summary: 'List the plugins, which are none',
    details: 'Plugins of Gotify are libraries of its own program, so there are none here.',
    answer: listOf('PluginConf'),
  },
  'GET /plugin/{id}/config': {
    ...unknownPlugin,
    id: 'getPluginConfig',
    summary: 'Read the configuration of a plugin',
    answer: TEXT,
  },
  'POST /plugin/{id}/config': {
    ...unknownPlugin,
    id: 'updatePluginConfig',
    summary: 'Change the configuration of a plugin',
  },
  'GET /plugin/{id}/display': {
    ...unknownPlugin,
    id: 'getPluginDisplay',
    summary: 'Read what a plugin shows',
    answer: TEXT,
  },
  'POST /plugin/{id}/enable': {
    ...unknownPlugin,
    id: 'enablePlugin',
    summary: 'Enable a plugin',
  },
  'POST /plugin/{id}/disable': {
    ...unknownPlugin,
    id: 'disablePlugin',
    summary: 'Disable a plugin',
  },
}
