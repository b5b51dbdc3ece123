import { Violation } from './violation.ts';

const LEASE_MS = 2_800;

/** The host's item, in truth: which session stands, and when each was last written. */
export class StoreModel {
  session = '';
  private revocations = 0;
  private readonly ended = new Set<string>();
  private readonly committedAt = new Map<string, number>();

  register(session: string, now: number): void {
    this.replace(session);
    this.committedAt.set(session, now);
  }

  renew(session: string, now: number): void {
    if (this.session === session) this.committedAt.set(session, now);
  }

  revoke(): void {
    this.revocations += 1;
    this.replace(`revoked:${this.revocations}`);
  }

  /** L_h after the last write of this session was sent. */
  deadlineOf(session: string): number {
    return (this.committedAt.get(session) ?? -Infinity) + LEASE_MS;
  }

  private replace(session: string): void {
    this.ended.add(this.session);
    this.session = session;
    if (this.ended.has(session)) throw new Violation('S2: a session is registered again after it had ended');
  }
}
