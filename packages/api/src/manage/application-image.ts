/**
 * Endpoints of application images: upload, removal and the files themselves. Main thread. A new
 * file is complete on disk before the row names it, and the old one goes after that.
 */
import { PushError } from '@bellwire/common'
import path from 'node:path'
import { errorResponse, pageNotFound } from '../http/response.ts'
import type { HttpResponse, ManagedContext, Route, RouteContext } from '../http/types.ts'
import { json } from './answers.ts'
import { describeApplication, existing, noSuchApplication } from './application-routes.ts'
import { ApplicationStore } from './application-store.ts'
import type { ManagementDeps } from './deps.ts'
import { type ImageFiles, MAX_IMAGE_BYTES } from './image-files.ts'
import { imageContentType, looksLikeImage } from './image-kind.ts'
import { readMultipart, type UploadedFile } from './multipart.ts'

/** Unlike other unknown paths, a missing image is answered with a charset. */
const NO_SUCH_IMAGE: HttpResponse = {
  ...errorResponse(pageNotFound()),
  headers: [['content-type', 'application/json; charset=utf-8']],
}

export function applicationImageRoutes(deps: ManagementDeps, images: ImageFiles): Route[] {
  const { changes } = deps
  const store = new ApplicationStore(deps.db)

  async function upload(context: ManagedContext): Promise<HttpResponse> {
    const { id } = await existing(store, context)
    const file = await uploadedFile(context)
    if (!looksLikeImage(file.content)) throw new PushError('BAD_REQUEST', 'file must be an image')
    const extension = path.extname(file.fileName)
    if (imageContentType(extension) === null) {
      throw new PushError('BAD_REQUEST', 'invalid file extension')
    }
    const { userId } = context.principal
    const name = await images.save(file.content, extension)
    const replaced = await store.replaceImage(userId, id, name).catch(async (error: unknown) => {
      await images.remove(name)
      throw error
    })
    if (replaced === null) {
      await images.remove(name)
      throw noSuchApplication(id)
    }
    changes.announce({ kind: 'application-changed', userId, applicationId: id })
    await images.remove(replaced.before)
    return json(describeApplication(replaced.row, replaced.row.token))
  }

  async function remove(context: ManagedContext): Promise<HttpResponse> {
    const { id, image } = await existing(store, context)
    if (image === '') {
      throw new PushError('BAD_REQUEST', `app with id ${id} does not have a customized image`)
    }
    const { userId } = context.principal
    const replaced = await store.replaceImage(userId, id, '')
    if (replaced === null) throw noSuchApplication(id)
    changes.announce({ kind: 'application-changed', userId, applicationId: id })
    await images.remove(replaced.before)
    return json(describeApplication(replaced.row, replaced.row.token))
  }

  async function serve(context: RouteContext): Promise<HttpResponse> {
    const name = context.params['name'] ?? ''
    const type = imageContentType(path.extname(name))
    const content = type === null ? null : await images.read(name)
    if (type === null || content === null) return NO_SUCH_IMAGE
    return {
      status: 200,
      headers: [
        ['content-type', type],
        // A name is never used for other content, so it may be kept for a year.
        ['cache-control', 'public, max-age=31536000, immutable'],
        ['x-content-type-options', 'nosniff'],
      ],
      body: content,
    }
  }

  const pattern = '/application/{id}/image'
  const file = { pattern: '/image/{name*}', auth: 'none', outsideApi: true, handle: serve } as const
  return [
    { method: 'POST', pattern, auth: 'client', maxBodyBytes: MAX_IMAGE_BYTES, handle: upload },
    { method: 'DELETE', pattern, auth: 'client', handle: remove },
    { method: 'GET', ...file },
    { method: 'HEAD', ...file },
  ]
}

async function uploadedFile(context: RouteContext): Promise<UploadedFile> {
  const contentType = context.request.headers.get('content-type') ?? ''
  if (!/^multipart\/form-data(;|$)/i.test(contentType)) {
    // Gotify's status for it, and the recorded cases hold to it.
    throw new PushError('INTERNAL', "request Content-Type isn't multipart/form-data")
  }
  const { files } = await readMultipart(context.body, contentType)
  const file = files.find(({ field }) => field === 'file')
  if (file === undefined) {
    throw new PushError('BAD_REQUEST', "file with key 'file' must be present")
  }
  return file
}
