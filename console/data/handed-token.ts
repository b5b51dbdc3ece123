/**
 * The token in the address that `holdfast console` prints. It stands behind `#`, which no browser sends anywhere, and is
 * taken out of the address at once, before the address is read as a screen.
 */
const HANDED = /^#token=([\w-]{20,200})$/;

function take(): string | null {
  const token = HANDED.exec(location.hash)?.[1] ?? null;
  if (token !== null) history.replaceState(null, '', location.pathname);
  return token;
}

export const handedToken = take();
