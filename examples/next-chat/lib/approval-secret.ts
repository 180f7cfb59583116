import { randomBytes } from 'node:crypto';

const key: unique symbol = Symbol.for('next-chat.approval-secret') as never;
const holder = globalThis as { [key]?: Uint8Array };

/**
 * Signs the calls that wait for approval: a page cannot approve what the model never asked for. It lives as long as the
 * process, over hot reloads too; several servers need one secret.
 */
export const approvalSecret = process.env['APPROVAL_SECRET'] ?? (holder[key] ??= randomBytes(32));
