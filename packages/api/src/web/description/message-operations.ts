/** The description of messages: publishing, the history, the live stream. */
import { type Operations, type Parameter, ref } from './operation.ts'

const PAGE: readonly Parameter[] = [
  { name: 'limit', type: 'integer', description: 'Messages a page, 1 to 200; 100 unless told.' },
  { name: 'since', type: 'integer', description: 'Only messages with a smaller id.' },
  {
    name: 'after',
    type: 'integer',
    description: 'Only messages with a greater id, oldest first. Bellwire alone has it.',
  },
  {
    name: 'from',
    type: 'string',
    description: 'Not before this date: RFC 3339, or a day. Bellwire alone has it.',
  },
  { name: 'to', type: 'string', description: 'Before this date, as from. Bellwire alone has it.' },
]

export const MESSAGE_OPERATIONS: Operations = {
  'POST /message': {
    id: 'createMessage',
    tag: 'message',
    summary: 'Publish a message',
    details:
      'A 200 means that the message is stored. With the token of a client, or with name and password, the body names the application in appid.',
    parameters: [
      {
        name: 'Idempotency-Key',
        in: 'header',
        type: 'string',
        description:
          'A retry with the same key answers the first message instead of making a second. Bellwire alone has it.',
      },
    ],
    body: 'MessageParams',
    answer: ref('Message'),
    refusals: [403, 413, 422, 503],
  },
  'GET /message': {
    id: 'getMessages',
    tag: 'message',
    summary: 'Read the messages of all applications, newest first',
    parameters: PAGE,
    answer: ref('PagedMessages'),
    refusals: [400],
  },
  'DELETE /message': {
    id: 'deleteMessages',
    tag: 'message',
    summary: 'Delete all messages',
  },
  'DELETE /message/{id}': {
    id: 'deleteMessage',
    tag: 'message',
    summary: 'Delete a message',
    refusals: [404],
  },
  'GET /application/{id}/message': {
    id: 'getAppMessages',
    tag: 'message',
    summary: 'Read the messages of an application, newest first',
    parameters: PAGE,
    answer: ref('PagedMessages'),
    refusals: [404],
  },
  'DELETE /application/{id}/message': {
    id: 'deleteAppMessages',
    tag: 'message',
    summary: 'Delete the messages of an application',
    refusals: [404],
  },
  'GET /stream': {
    id: 'streamMessages',
    tag: 'message',
    summary: 'Receive messages as they come, over a WebSocket',
    details:
      'Each text frame holds one message as JSON. With after, every stored message with a greater id comes first, in order, without a gap to the live ones.',
    parameters: [
      {
        name: 'after',
        type: 'integer',
        description: 'Id of the last message that was received; 0 for all. Bellwire alone has it.',
      },
      {
        name: 'events',
        type: 'boolean',
        description:
          'True or 1: also frames such as {"event":"message-deleted","id":1}, {"event":"messages-deleted","appid":null}, {"event":"application-changed","appid":1} and {"event":"application-deleted","appid":1}, as hints that are never repeated. Bellwire alone has it.',
      },
    ],
    answer: ref('Message'),
    refusals: [400, 503],
  },
}
