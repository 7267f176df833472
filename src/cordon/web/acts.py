"""What can be done in the shell itself."""

from cordon.kernel.access.model import Act

ACTS = (
    Act("web.metrics.view", "Read the node's own measurements, which name no person."),
    Act("web.home.view", "Open the first page."),
    Act("web.find", "Look a thing up by its name or number across the rooms."),
)
