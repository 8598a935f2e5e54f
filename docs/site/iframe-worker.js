/* Browsers start no worker for a page that is opened from the file system.
   The search then runs in a hidden frame, which takes and sends messages as a
   worker does. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super()
      const frame = document.createElement("iframe")
      const waiting = []
      frame.hidden = true
      frame.srcdoc = `<script>
        const inform = parent.postMessage.bind(parent)
        window.postMessage = data => inform(data, "*")
        window.importScripts = (...urls) => urls.reduce(
          (before, url) => before.then(() => new Promise((done, failed) => {
            const script = document.createElement("script")
            Object.assign(script, {src: url, onload: done, onerror: failed})
            document.head.append(script)
          })),
          Promise.resolve()
        )
      <\/script><script src="${url}"><\/script>`
      this.send = data => waiting.push(data)
      frame.addEventListener("load", () => {
        this.send = data => frame.contentWindow.dispatchEvent(
          new MessageEvent("message", {data})
        )
        waiting.forEach(this.send)
      })
      window.addEventListener("message", event => {
        if (event.source === frame.contentWindow) {
          const copy = new MessageEvent("message", {data: event.data})
          this.onmessage?.(copy)
          this.dispatchEvent(copy)
        }
      })
      document.body.append(frame)
    }

    postMessage(data) {
      this.send(data)
    }

    terminate() {}
  }
}
