// Draws every vessel in one call: a point each, shaped in the fragment shader. Colour says what
// kind, shape says moving or still, rotation says course, old positions fade by age, and a ring
// says that a finding speaks of it.

import { FOUND, STILL, UNKNOWN } from "./frames.js";

const FLOATS = 6; // x, y, angle, moving, kind (and RINGED), fade
const RINGED = 8;
const FADES_FROM_S = 120;
const FADES_TO_S = 1800;

const VERTEX = `#version 300 es
uniform mat4 u_matrix; uniform float u_size;
in vec2 a_at; in float a_angle; in float a_moving; in float a_kind; in float a_fade;
out float v_angle; out float v_moving; out float v_fade; flat out int v_kind; flat out float v_room;
void main() {
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  int kind = int(a_kind + 0.5);
  float size = u_size * (a_moving > 0.5 ? 1.0 : 0.62);
  // a ring is of one size, whatever stands in it
  float room = kind >= 8 ? 1.9 * u_size / size : 1.0;
  gl_PointSize = size * room;
  v_angle = a_angle; v_moving = a_moving; v_fade = a_fade; v_kind = kind & 7; v_room = room;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
uniform vec3 u_colours[8]; uniform vec3 u_edge; uniform vec3 u_ring;
in float v_angle; in float v_moving; in float v_fade; flat in int v_kind; flat in float v_room;
out vec4 colour;
void main() {
  vec2 p = (gl_PointCoord - 0.5) * 2.0 * v_room;
  float c = cos(v_angle), s = sin(v_angle);
  vec2 q = vec2(c * p.x + s * p.y, -s * p.x + c * p.y);
  float d = v_moving > 0.5
    ? max(abs(q.x) * 1.75 - (q.y + 0.95) * 0.55, q.y - 0.62 + 0.35 * (1.0 - min(abs(q.x) * 2.0, 1.0)))
    : length(p) - 0.88;
  float body = smoothstep(0.08, -0.08, d);
  float rim = smoothstep(0.2, 0.06, d) - body;
  vec3 ink = u_colours[v_kind];
  float a = v_fade * (body + rim * 0.7);
  colour = vec4(mix(u_edge, ink, body / max(body + rim, 0.001)) * a, a);
  if (v_room > 1.0) {
    float ring = smoothstep(0.1, 0.04, abs(length(p) / v_room - 0.86)); // never fades with age
    colour = mix(colour, vec4(u_ring, 1.0), ring);
  }
  if (colour.a < 0.02) discard;
}`;

const mercatorY = (lat) =>
  0.5 - Math.log(Math.tan(Math.PI / 4 + (Math.max(-85, Math.min(85, lat)) * Math.PI) / 360)) / (2 * Math.PI);

/** A frame's columns as the floats that the shader reads. */
export function pack(frame, out) {
  const { count, lat, lon, course, age, kind, flags } = frame;
  const data = out && out.length >= count * FLOATS ? out : new Float32Array(Math.ceil(count * 1.25) * FLOATS);
  for (let i = 0, o = 0; i < count; i++, o += FLOATS) {
    const moving = !(flags[i] & STILL) && course[i] !== UNKNOWN;
    const old = (age[i] - FADES_FROM_S) / (FADES_TO_S - FADES_FROM_S);
    data[o] = (lon[i] + 180) / 360;
    data[o + 1] = mercatorY(lat[i]);
    data[o + 2] = moving ? (course[i] / 10) * (Math.PI / 180) : 0;
    data[o + 3] = moving ? 1 : 0;
    data[o + 4] = (kind[i] & 7) + (flags[i] & FOUND ? RINGED : 0);
    data[o + 5] = 1 - 0.75 * Math.min(1, Math.max(0, old));
  }
  return data;
}

function program(gl) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(made, shader);
  }
  gl.linkProgram(made);
  if (!gl.getProgramParameter(made, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(made));
  return made;
}

/** A custom layer of MapLibre. `onDrawn` is called after each drawing that held a new frame. */
export class Tracks {
  id = "tracks";
  type = "custom";
  renderingMode = "2d";
  frame = null;
  #data = null;
  #fresh = false;
  #colours = new Float32Array(24);
  #edge = new Float32Array(3);
  #ring = new Float32Array(3);

  constructor(onDrawn) {
    this.onDrawn = onDrawn;
  }

  /** Colours (each [r, g, b], 0 to 1) of kinds 0 to 7, of the rim, and of the ring. */
  paint(kinds, edge, ring) {
    this.#colours.set(kinds.flat());
    this.#edge.set(edge);
    this.#ring.set(ring);
    this.map?.triggerRepaint();
  }

  show(frame) {
    this.frame = frame;
    this.#data = pack(frame, this.#data);
    this.#fresh = true;
    this.map?.triggerRepaint();
  }

  onAdd(map, gl) {
    this.map = map;
    this.program = program(gl);
    this.buffer = gl.createBuffer();
    this.vertices = gl.createVertexArray();
    gl.bindVertexArray(this.vertices);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    let offset = 0;
    for (const [name, size] of [["a_at", 2], ["a_angle", 1], ["a_moving", 1], ["a_kind", 1], ["a_fade", 1]]) {
      const at = gl.getAttribLocation(this.program, name);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, gl.FLOAT, false, FLOATS * 4, offset * 4);
      offset += size;
    }
    gl.bindVertexArray(null);
    if (this.frame) this.#fresh = true; // a lost context came back: its buffer is empty
  }

  render(gl, { defaultProjectionData }) {
    if (!this.frame) return;
    const { count } = this.frame;
    gl.useProgram(this.program);
    gl.bindVertexArray(this.vertices);
    if (this.#fresh) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
      gl.bufferData(gl.ARRAY_BUFFER, this.#data.subarray(0, count * FLOATS), gl.DYNAMIC_DRAW);
    }
    const at = (name) => gl.getUniformLocation(this.program, name);
    const zoom = this.map.getZoom();
    gl.uniformMatrix4fv(at("u_matrix"), false, defaultProjectionData.mainMatrix);
    gl.uniform1f(at("u_size"), Math.min(22, Math.max(9, 5 + zoom * 1.2)) * devicePixelRatio);
    gl.uniform3fv(at("u_colours"), this.#colours);
    gl.uniform3fv(at("u_edge"), this.#edge);
    gl.uniform3fv(at("u_ring"), this.#ring);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.CULL_FACE);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.drawArrays(gl.POINTS, 0, count);
    gl.bindVertexArray(null);
    if (this.#fresh) {
      this.#fresh = false;
      this.onDrawn();
    }
  }

  /** Row of the vessel nearest to a place on the map, within `pixels` of it, or -1. */
  nearest({ lng, lat }, pixels = 14) {
    if (!this.frame) return -1;
    const x = (lng + 180) / 360;
    const y = mercatorY(lat);
    const reach = pixels / (512 * 2 ** this.map.getZoom());
    let best = reach * reach;
    let found = -1;
    for (let i = 0, o = 0; i < this.frame.count; i++, o += FLOATS) {
      const d = (this.#data[o] - x) ** 2 + (this.#data[o + 1] - y) ** 2;
      if (d < best) [best, found] = [d, i];
    }
    return found;
  }
}
