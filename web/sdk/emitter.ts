// A typed event source. A listener that throws must not stop the others: its error is rethrown outside the loop.

export type Unsubscribe = () => void

export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>()

  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): Unsubscribe {
    let listeners = this.#listeners.get(name)
    if (!listeners) this.#listeners.set(name, (listeners = new Set()))
    listeners.add(listener as (value: never) => void)
    return () => void listeners.delete(listener as (value: never) => void)
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        ;(listener as (value: Events[Name]) => void)(value)
      } catch (error) {
        void Promise.reject(error)
      }
    }
  }
}
