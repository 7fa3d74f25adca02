// Only one voice message sounds at a time.
let stopOther: (() => void) | null = null

export function takeTurn(stop: () => void): void {
  if (stopOther !== stop) stopOther?.()
  stopOther = stop
}
