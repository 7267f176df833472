// The bar's clock: the node's own time (an exercise may set it), local and UTC, a tick a second.

export function mount(place, { now, zone, zoneName }) {
  const ahead = Date.parse(now) - Date.now();
  const shape = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" };
  const local = new Intl.DateTimeFormat("en-GB", { ...shape, timeZone: zone });
  const utc = new Intl.DateTimeFormat("en-GB", { ...shape, second: undefined, timeZone: "UTC" });
  const tick = () => {
    const moment = new Date(Date.now() + ahead);
    const also = zone === "UTC" ? "" : ` · ${utc.format(moment)}Z`;
    place.textContent = `${local.format(moment)} ${zoneName}${also}`;
    setTimeout(tick, 1000 - ((Date.now() + ahead) % 1000));
  };
  tick();
}
