export type LiveState = 'connecting' | 'live' | 'ended'

/**
 * Follows server-sent events until the signal aborts. The browser connects again by itself and says which event it saw last,
 * so nothing is missed; `onState` tells where that stands. `ended`: there is no more, or the server refused.
 */
export const follow = (
  path: string,
  {
    signal,
    onEvent,
    onState = () => {},
  }: {
    readonly signal: AbortSignal
    readonly onEvent: (data: unknown) => void
    readonly onState?: (state: LiveState) => void
  },
): void => {
  if (signal.aborted) return
  const source = new EventSource(path)
  onState('connecting')
  source.addEventListener('open', () => onState('live'))
  source.addEventListener('message', ({ data }) => onEvent(JSON.parse(String(data))))
  source.addEventListener('error', () => onState(source.readyState === EventSource.CLOSED ? 'ended' : 'connecting'))
  signal.addEventListener('abort', () => source.close(), { once: true })
}

/** A small sign that says whether what is shown moves by itself. */
export const sayState = (sign: HTMLElement, state: LiveState): void => {
  sign.dataset['state'] = state
  sign.textContent = { connecting: 'connecting …', live: 'live', ended: 'not live' }[state]
}
