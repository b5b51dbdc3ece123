/** As the doctor knows it, too. */
export { HOST_TAG } from '../core/protocol/host-tag.ts';
