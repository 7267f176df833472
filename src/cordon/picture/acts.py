"""What can be done in the picture."""

from cordon.kernel.access.model import Act

ACTS = (
    Act("picture.track.view", "See vessels and vehicles on the map, and their latest positions."),
    Act("picture.track.export", "Take ways of vessels and vehicles away as a file."),
    Act("picture.saved_view.change", "Keep a view of the map under a name, or take it out."),
    Act("picture.overlay.change", "Bring in a drawing to lay over the map, or take it out."),
    Act("picture.watchlist.view", "See which craft are watched, why and until when."),
    Act("picture.watchlist.change", "Put a craft on the watch list, or take it off."),
    Act("picture.position.import", "Bring in a file of positions."),
    Act("picture.zone.view", "See the zones that behaviours are measured against."),
    Act("picture.zone.change", "Bring in or take out zones."),
    Act("picture.feed.view", "See the live feeds, their rate and what they refused."),
    Act("picture.feed.change", "Connect or disconnect a live feed."),
    Act("picture.report.send", "Send reports of radars, sensors, cameras and drones."),
    Act("picture.cover.view", "See which sectors are covered now, by what, and which are not."),
    Act("picture.cover.note", "Enter an outage, weather or a planned patrol."),
    Act("picture.sensor.change", "Bring in or take out sensors."),
    Act("picture.detect", "Run the detectors of behaviours over stored positions."),
)
