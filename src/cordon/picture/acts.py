"""What can be done in the picture."""

from cordon.kernel.access.model import Act

ACTS = (
    Act("picture.track.view", "See vessels and vehicles on the map, and their latest positions."),
    Act("picture.position.import", "Bring in a file of positions."),
    Act("picture.zone.view", "See the zones that behaviours are measured against."),
    Act("picture.zone.change", "Bring in or take out zones."),
    Act("picture.feed.view", "See the live feeds, their rate and what they refused."),
    Act("picture.feed.change", "Connect or disconnect a live feed."),
    Act("picture.detect", "Run the detectors of behaviours over stored positions."),
)
