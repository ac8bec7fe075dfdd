// Drives an audit or a tune: queues the user's own graph with the texts that are asked for, a few pictures at a time, and tells
// the server which pictures came of it.
import { api, app, ask, say } from "../host.js";
import { graphFor, pictureOf } from "../lib/learn.js";
import { nextAsks } from "../lib/learn_show.js";

const AT_ONCE = 2; // of ours in the queue, so that others come in between
const LOOK_EVERY = 5000; // ms; what the server says by itself may get lost
const LOOK_SOON = 500; // ms
const EVENTS = ["execution_start", "executed", "execution_success", "execution_error", "execution_interrupted"];

export class LearnRun {
  /** `subject` of lib/learn.js, `flat` the graph that it was read from; `show` is called when anything changes. */
  constructor({ state, subject, flat, show }) {
    Object.assign(this, { state, subject, flat, show, isPaused: true, problem: "", seconds: null });
    this.flying = new Map(); // prompt id -> ask, outputs by node, when it began
    this.told = new Set(); // ids of pictures that the server knows or is told of
    this.graph = null;
    this.times = [];
    this.telling = Promise.resolve();
    this.listeners = EVENTS.map((name) => [name, ({ detail }) => this.onEvent(name, detail)]);
  }

  /** Go on with the graph as it is now, which `flat` and `subject` were read from. */
  async resume(flat, subject) {
    Object.assign(this, { flat, subject });
    this.graph = await app.graphToPrompt();
    if (!this.isPaused) return;
    this.isPaused = false;
    this.problem = "";
    for (const [name, listener] of this.listeners) api.addEventListener(name, listener);
    this.timer = setInterval(() => this.look(), LOOK_EVERY);
    await this.fill();
  }

  /** Queue nothing more and take back what has not begun; `isAtOnce`: what is being painted too. */
  async pause(isAtOnce = false, problem = "") {
    if (this.isPaused) return;
    this.isPaused = true;
    this.problem = problem;
    clearInterval(this.timer);
    for (const [id, one] of this.flying) {
      if (one.began && !isAtOnce) continue; // it is told of when it is done
      this.flying.delete(id);
      try {
        if (one.isQueued) await (one.began ? api.interrupt(id) : api.deleteItem("queue", id));
      } catch {
        this.problem = say("server-gone");
      }
    }
    if (!this.flying.size) this.unlisten();
    this.show();
  }

  unlisten() {
    for (const [name, listener] of this.listeners) api.removeEventListener(name, listener);
  }

  /** Take what the server says of the run. */
  take(state) {
    this.state = state;
    this.show();
  }

  async fill() {
    if (this.isPaused) return;
    if (this.state.result) return this.pause();
    const taken = new Set([...this.told, ...[...this.flying.values()].map((one) => one.ask.id)]);
    const asks = nextAsks(this.state.asks, taken, AT_ONCE - this.flying.size);
    for (const one of asks) this.flying.set(one.id, { ask: one, outputs: {} }); // under its own name until it is queued
    for (const one of asks) {
      try {
        const output = graphFor(this.flat, this.graph.output, this.subject, one);
        const { prompt_id: id } = await api.queuePrompt(0, { output, workflow: this.graph.workflow });
        const flight = this.flying.get(one.id);
        this.flying.delete(one.id);
        if (flight) this.flying.set(id, { ...flight, isQueued: true });
        else await api.deleteItem("queue", id); // paused meanwhile
      } catch (error) {
        for (const { id } of asks) this.flying.delete(id);
        return this.pause(false, say("learn-failed", { error: wordsOf(error) }));
      }
    }
    this.show();
  }

  onEvent(name, detail) {
    const flight = this.flying.get(detail?.prompt_id);
    if (!flight) return;
    if (name === "execution_start") flight.began = performance.now();
    else if (name === "executed") flight.outputs[detail.display_node ?? detail.node] = detail.output?.images;
    else if (name === "execution_success" && !pictureOf(this.graph.output, flight.outputs)) {
      setTimeout(() => this.look(), LOOK_SOON); // a fast graph shows its picture before the page knows that it is queued
    } else this.land(detail.prompt_id, name, detail);
  }

  /** A graph of ours is done, well or not. */
  land(id, name, detail) {
    const { ask: asked, outputs, began } = this.flying.get(id);
    this.flying.delete(id);
    if (this.isPaused && !this.flying.size) this.unlisten();
    if (name === "execution_interrupted") return void this.pause(false, say("learn-interrupted"));
    if (name === "execution_error") return void this.pause(false, say("learn-failed", { error: detail.exception_message?.trim() ?? "?" }));
    const picture = pictureOf(this.graph.output, outputs);
    if (!picture) return void this.pause(false, say("learn-no-picture"));
    if (began) this.measure((performance.now() - began) / 1000);
    this.told.add(asked.id);
    this.telling = this.telling.then(() => this.tell(asked, picture));
    void this.fill();
  }

  async tell(asked, { filename, subfolder, type }) {
    try {
      this.take(await ask("/learn/told", { run: this.state.run, id: asked.id, picture: { filename, subfolder, type } }));
      await this.fill();
    } catch (error) {
      this.told.delete(asked.id);
      await this.pause(false, String(error.message));
    }
  }

  /** Seconds of one picture: the first warms up, so it counts only while it is the only one. */
  measure(seconds) {
    this.times.push(seconds);
    const counted = this.times.length > 1 ? this.times.slice(1) : this.times;
    this.seconds = counted.reduce((sum, one) => sum + one, 0) / counted.length;
  }

  /** Ask for what was not heard: graphs that are done, and those that are gone because the server was started anew. */
  async look() {
    try {
      const queued = new Set(Object.values(await (await api.fetchApi("/queue")).json()).flat().map((one) => one[1]));
      for (const id of [...this.flying].filter(([key, one]) => one.isQueued && !queued.has(key)).map(([key]) => key)) {
        const done = (await (await api.fetchApi(`/history/${id}`)).json())[id];
        const flight = this.flying.get(id);
        if (!flight) continue;
        if (!done) this.flying.delete(id); // it is queued again
        else {
          for (const [key, output] of Object.entries(done.outputs)) flight.outputs[key] ??= output.images;
          this.land(id, done.status?.status_str === "error" ? "execution_error" : "execution_success", {});
        }
      }
      if (this.problem === say("server-gone")) this.problem = "";
      await this.fill();
    } catch {
      this.problem = say("server-gone");
      this.show();
    }
  }

  /** One of two pictures was clicked; null for better: there is no difference. */
  async click(pair, better) {
    const [first, second] = better === 1 ? [pair[1], pair[0]] : pair;
    this.take(await ask("/learn/click", { run: this.state.run, better: first, worse: second, same: better === null }));
    await this.fill();
  }
}

/** What ComfyUI says of a graph that it does not take. */
function wordsOf(error) {
  const told = error?.response?.error;
  return (typeof told === "string" ? told : [told?.message, told?.details].filter(Boolean).join(": ")) || String(error?.message ?? error);
}
