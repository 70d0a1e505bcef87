/** The description of what is about the server itself. */
import { type Operations, ref, TEXT } from './operation.ts'

export const SERVER_OPERATIONS: Operations = {
  'GET /health': {
    id: 'getHealth',
    tag: 'server',
    summary: 'Tell whether the server and its database work',
    answer: ref('Health'),
    refusals: [500],
  },
  'GET /health/live': {
    id: 'getLiveness',
    tag: 'server',
    summary: 'Tell orchestrators that the process answers',
    details: 'Bellwire alone has it.',
    answer: { type: 'object' },
  },
  'GET /health/ready': {
    id: 'getReadiness',
    tag: 'server',
    summary: 'Tell orchestrators whether a message would come through now',
    details: 'Bellwire alone has it.',
    answer: { type: 'object' },
    refusals: [503],
  },
  'GET /version': {
    id: 'getVersion',
    tag: 'server',
    summary: 'Tell the version of the API',
    answer: ref('VersionInfo'),
  },
  'GET /gotifyinfo': {
    id: 'getInfo',
    tag: 'server',
    summary: 'Tell what a login page needs to know',
    answer: ref('GotifyInfo'),
  },
  'GET /metrics': {
    id: 'getMetrics',
    tag: 'server',
    summary: 'Metrics for Prometheus',
    details: 'Bellwire alone has it.',
    answer: TEXT,
  },
  'GET /swagger': {
    id: 'getDescription',
    tag: 'server',
    summary: 'This description, as Swagger 2.0',
    parameters: [
      { name: 'base', type: 'string', description: 'Host that the description is to name.' },
    ],
    answer: { type: 'object' },
  },
  'GET /docs': {
    id: 'getDocs',
    tag: 'server',
    summary: 'This description, as a page to read',
    answer: TEXT,
  },
}
