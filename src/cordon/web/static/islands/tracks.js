// Draws every vessel in one call: a point each, shaped in the fragment shader. Colour says what
// kind, shape says moving or still, rotation says course, old positions fade by age, a ring says
// that a finding speaks of it, and a double ring that it is on the watch list. With symbols
// (symbols.js) the shape is that of MIL-STD-2525, upright, with a leader along its course.

import { FOUND, LISTED, STILL, UNKNOWN } from "./frames.js";

const FLOATS = 6; // x, y, angle, moving, kind (and RINGED, DOUBLED), fade
const RINGED = 16;
const DOUBLED = 32;
const FADES_FROM_S = 120;
const FADES_TO_S = 1800;

const VERTEX = `#version 300 es
uniform mat4 u_matrix; uniform float u_size;
in vec2 a_at; in float a_angle; in float a_moving; in float a_kind; in float a_fade;
uniform bool u_symbols;
out float v_angle; out float v_moving; out float v_fade; flat out int v_kind; flat out float v_room;
void main() {
  gl_Position = u_matrix * vec4(a_at, 0.0, 1.0);
  int kind = int(a_kind + 0.5);
  float size = u_symbols ? 2.1 * u_size : u_size * (a_moving > 0.5 ? 1.0 : 0.62);
  // a ring is of one size, whatever stands in it
  float room = kind >= 16 ? (u_symbols ? 1.35 : 1.9 * u_size / size) : 1.0;
  if (kind >= 32) room *= 1.25;
  gl_PointSize = size * room;
  v_angle = a_angle; v_moving = a_moving; v_fade = a_fade; v_kind = kind; v_room = room;
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
uniform vec3 u_colours[8]; uniform vec3 u_edge; uniform vec3 u_ring; uniform vec3 u_listed;
uniform bool u_symbols; uniform sampler2D u_atlas;
in float v_angle; in float v_moving; in float v_fade; flat in int v_kind; flat in float v_room;
out vec4 colour;
void main() {
  vec2 p = (gl_PointCoord - 0.5) * 2.0 * v_room;
  int kind = v_kind & 15;
  float c = cos(v_angle), s = sin(v_angle);
  vec2 q = vec2(c * p.x + s * p.y, -s * p.x + c * p.y);
  float d = v_moving > 0.5
    ? max(abs(q.x) * 1.75 - (q.y + 0.95) * 0.55, q.y - 0.62 + 0.35 * (1.0 - min(abs(q.x) * 2.0, 1.0)))
    : length(p) - 0.88;
  float body = smoothstep(0.08, -0.08, d);
  float rim = smoothstep(0.2, 0.06, d) - body;
  vec3 ink = u_colours[kind >= 8 ? 5 : kind]; // from 8 on: own units by their kind
  float a = v_fade * (body + rim * 0.7);
  colour = vec4(mix(u_edge, ink, body / max(body + rim, 0.001)) * a, a);
  if (u_symbols) {
    vec2 at = (p + 1.0) * 0.5;
    bool inside = at.x >= 0.0 && at.x <= 1.0 && at.y >= 0.0 && at.y <= 1.0;
    colour = inside ? texture(u_atlas, vec2((float(kind) + at.x) / 16.0, at.y)) * v_fade : vec4(0.0);
  }
  if (v_kind >= 16) { // rings never fade with age
    float out_ = length(p) / v_room;
    float ring = smoothstep(0.1, 0.04, abs(out_ - (v_kind >= 32 ? 0.72 : 0.86)));
    if ((v_kind & 16) != 0) colour = mix(colour, vec4(u_ring, 1.0), ring);
    if (v_kind >= 32) colour = mix(colour, vec4(u_listed, 1.0), smoothstep(0.08, 0.03, abs(out_ - 0.92)));
  }
  if (colour.a < 0.02) discard;
}`;

const LEADER = `#version 300 es
uniform mat4 u_matrix; uniform vec2 u_length;
in vec2 a_at; in float a_angle; in float a_moving; in float a_fade;
out float v_fade;
void main() {
  vec4 at = u_matrix * vec4(a_at, 0.0, 1.0);
  vec2 way = vec2(sin(a_angle), cos(a_angle)) * u_length * a_moving * float(gl_VertexID);
  gl_Position = at + vec4(way * at.w, 0.0, 0.0);
  v_fade = a_fade;
}`;
const PLAIN = `#version 300 es
precision mediump float;
uniform vec3 u_ink;
in float v_fade;
out vec4 colour;
void main() { colour = vec4(u_ink * v_fade, v_fade); }`;

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
    data[o + 4] = (kind[i] & 15) + (flags[i] & FOUND ? RINGED : 0) + (flags[i] & LISTED ? DOUBLED : 0);
    data[o + 5] = 1 - 0.75 * Math.min(1, Math.max(0, old));
  }
  return data;
}

function program(gl, vertex, fragment) {
  const made = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
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
  #listed = new Float32Array(3);
  #atlas = null; // the symbols' picture, sixteen in a row, or null for plain shapes
  #texture = null;

  constructor(onDrawn) {
    this.onDrawn = onDrawn;
  }

  /** Colours (each [r, g, b], 0 to 1) of kinds 0 to 7, of the rim, and of the two rings. */
  paint(kinds, edge, ring, listed = ring) {
    this.#colours.set(kinds.flat());
    this.#edge.set(edge);
    this.#ring.set(ring);
    this.#listed.set(listed);
    this.map?.triggerRepaint();
  }

  /** Draw symbols from a picture with sixteen in a row, or plain shapes where it is null. */
  symbols(picture) {
    this.#atlas = picture;
    if (this.#texture) this.gl.deleteTexture(this.#texture);
    this.#texture = null;
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
    this.gl = gl;
    this.#texture = null;
    this.program = program(gl, VERTEX, FRAGMENT);
    this.leaders = program(gl, LEADER, PLAIN);
    this.buffer = gl.createBuffer();
    this.vertices = this.#columns(gl, this.program, 0);
    this.ends = this.#columns(gl, this.leaders, 1);
    if (this.frame) this.#fresh = true; // a lost context came back: its buffer is empty
  }

  /** Columns of the buffer as a program's attributes; `each` is 1 where a row is an instance. */
  #columns(gl, of, each) {
    const made = gl.createVertexArray();
    gl.bindVertexArray(made);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    let offset = 0;
    for (const [name, size] of [["a_at", 2], ["a_angle", 1], ["a_moving", 1], ["a_kind", 1], ["a_fade", 1]]) {
      const at = gl.getAttribLocation(of, name);
      if (at >= 0) {
        gl.enableVertexAttribArray(at);
        gl.vertexAttribPointer(at, size, gl.FLOAT, false, FLOATS * 4, offset * 4);
        gl.vertexAttribDivisor(at, each);
      }
      offset += size;
    }
    gl.bindVertexArray(null);
    return made;
  }

  /** Lines along the courses of what moves, for symbols, which stand upright. */
  #lead(gl, matrix, count, size) {
    gl.useProgram(this.leaders);
    gl.bindVertexArray(this.ends);
    const at = (name) => gl.getUniformLocation(this.leaders, name);
    gl.uniformMatrix4fv(at("u_matrix"), false, matrix);
    gl.uniform2f(at("u_length"), (2 * size * 2) / gl.drawingBufferWidth, (2 * size * 2) / gl.drawingBufferHeight);
    gl.uniform3fv(at("u_ink"), this.#colours.subarray(3, 6));
    gl.drawArraysInstanced(gl.LINES, 0, 2, count);
  }

  #bindAtlas(gl) {
    gl.activeTexture(gl.TEXTURE0);
    if (!this.#texture) {
      this.#texture = gl.createTexture();
      gl.bindTexture(gl.TEXTURE_2D, this.#texture);
      gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
      gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, true);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, this.#atlas);
      gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
      for (const [name, value] of [["MIN_FILTER", gl.LINEAR], ["MAG_FILTER", gl.LINEAR], ["WRAP_S", gl.CLAMP_TO_EDGE], ["WRAP_T", gl.CLAMP_TO_EDGE]]) {
        gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], value);
      }
    } else gl.bindTexture(gl.TEXTURE_2D, this.#texture);
  }

  render(gl, { defaultProjectionData }) {
    if (!this.frame) return;
    const { count } = this.frame;
    if (this.#fresh) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
      gl.bufferData(gl.ARRAY_BUFFER, this.#data.subarray(0, count * FLOATS), gl.DYNAMIC_DRAW);
    }
    const size = Math.min(22, Math.max(9, 5 + this.map.getZoom() * 1.2)) * devicePixelRatio;
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.CULL_FACE);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    if (this.#atlas) {
      this.#lead(gl, defaultProjectionData.mainMatrix, count, size);
      this.#bindAtlas(gl);
    }
    gl.useProgram(this.program);
    gl.bindVertexArray(this.vertices);
    const at = (name) => gl.getUniformLocation(this.program, name);
    gl.uniformMatrix4fv(at("u_matrix"), false, defaultProjectionData.mainMatrix);
    gl.uniform1f(at("u_size"), size);
    gl.uniform1i(at("u_symbols"), this.#atlas ? 1 : 0);
    gl.uniform1i(at("u_atlas"), 0);
    gl.uniform3fv(at("u_colours"), this.#colours);
    gl.uniform3fv(at("u_edge"), this.#edge);
    gl.uniform3fv(at("u_ring"), this.#ring);
    gl.uniform3fv(at("u_listed"), this.#listed);
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
