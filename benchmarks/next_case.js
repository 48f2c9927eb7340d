// What the benchmark `next_case` measures inside the browser, from a key's own time stamp to a painted frame.
(() => {
  const afterPaint = (act) => {
    requestAnimationFrame(() => {
      const painted = new MessageChannel();
      painted.port1.onmessage = act;
      painted.port2.postMessage(null);
    });
  };
  const marked = (name, uid) => performance.getEntriesByName(name).some((mark) => mark.detail === uid);
  const canvas = (side) => document.querySelector(`${side} canvas`);

  window.nextCase = {
    isReady: (uid) => marked("next-case-ready", uid),
    behind: () => canvas(".film-side.behind").toDataURL(),

    /** Until the film of the reading `uid` is on the screen; with what is seen then, and what was asked for. */
    signed: (uid) =>
      new Promise((done) => {
        const onKey = (event) => {
          if (event.code !== "Enter") return;
          removeEventListener("keydown", onKey, { capture: true });
          const look = () => {
            if (!marked("next-case-shown", uid)) return requestAnimationFrame(look);
            afterPaint(() => {
              const now = performance.now();
              const front = canvas(".film-side:not(.behind)");
              const asked = performance
                .getEntriesByType("resource")
                .filter(({ startTime }) => startTime > event.timeStamp && startTime < now)
                .map(({ name }) => new URL(name).pathname)
                .filter((path) => path.includes(uid) || path.includes("/film/"));
              const isVisible = getComputedStyle(front).visibility === "visible";
              done({ milliseconds: now - event.timeStamp, isVisible, asked, shown: front.toDataURL() });
            });
          };
          queueMicrotask(look);
        };
        addEventListener("keydown", onKey, { capture: true });
      }),

    /** The least that any viewer must do: upload decoded pixels, draw them through a window, show the frame. */
    prepareBare: async (side) => {
      const pixels = new Uint16Array(await (await fetch("/bare/pixels")).arrayBuffer());
      const bare = canvas("body");
      [bare.width, bare.height] = [900, 826];
      const gl = bare.getContext("webgl2");
      const program = gl.createProgram();
      const attach = (kind, source) => {
        const shader = gl.createShader(kind);
        gl.shaderSource(shader, `#version 300 es\n${source}`);
        gl.compileShader(shader);
        gl.attachShader(program, shader);
      };
      attach(
        gl.VERTEX_SHADER,
        `out vec2 at;
        void main() {
          at = vec2(gl_VertexID & 1, gl_VertexID >> 1);
          gl_Position = vec4(at * 2.0 - 1.0, 0, 1);
        }`,
      );
      attach(
        gl.FRAGMENT_SHADER,
        `precision highp float;
        precision highp usampler2D;
        uniform usampler2D film;
        in vec2 at;
        out vec4 colour;
        void main() {
          float value = float(texture(film, vec2(at.x, 1.0 - at.y)).r) / 4095.0;
          colour = vec4(vec3(value), 1);
        }`,
      );
      gl.linkProgram(program);
      gl.useProgram(program);
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
      const pixel = new Uint8Array(4);
      window.nextCase.drawn = () =>
        new Promise((done) => {
          const onKey = (event) => {
            gl.texImage2D(
              gl.TEXTURE_2D, 0, gl.R16UI, side, side, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, pixels,
            );
            gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
            gl.readPixels(450, 413, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
            const grey = pixel[0];
            afterPaint(() => done({ milliseconds: performance.now() - event.timeStamp, grey }));
          };
          addEventListener("keydown", onKey, { once: true });
        });
    },
  };
})();
