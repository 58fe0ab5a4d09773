"""What the recordings of the lab `component_stop` call things."""

from enum import StrEnum


class StoppedComponent(StrEnum):
    """A component that can be stopped: the name of its run."""

    SCHEDULER = "scheduler"
    CONTROLLER_MANAGER = "controller-manager"


class StopMark(StrEnum):
    """The mark of what is done to the component and to the Deployment."""

    STOP = "stop"
    START = "start"
    SCALE = "scale"
    DELETE = "delete"
    COMPLETE = "complete"
