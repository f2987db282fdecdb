# Follows the cards as any GLib program would, by Gio.DBusObjectManagerClient,
# runs one by hand, and prints what the client then knows of it. TestGLibFollowsCards runs it.
from gi.repository import Gio, GLib

NAME, PATH, CARD = "org.vignette.Agent1", "/org/vignette/Agent1", "org.vignette.Card1"
bus = Gio.bus_get_sync(Gio.BusType.SESSION)
loop = GLib.MainLoop()


def call(method, args):
    bus.call_sync(NAME, PATH, NAME, method, args, None, Gio.DBusCallFlags.NONE, 5000)


def changed(manager, obj, proxy, properties, invalidated):
    if properties.lookup_value("State", None):
        print(obj.get_object_path(), proxy.get_cached_property("State").unpack(), proxy.get_cached_property("Why").unpack(), flush=True)
        if proxy.get_cached_property("State").unpack() == "running":
            loop.quit()


call("Watch", GLib.Variant("(as)", ([],)))
manager = Gio.DBusObjectManagerClient.new_sync(bus, Gio.DBusObjectManagerClientFlags.NONE, NAME, PATH, None, None, None)
manager.connect("interface-proxy-properties-changed", changed)
for obj in sorted(manager.get_objects(), key=lambda o: o.get_object_path()):
    print(obj.get_object_path(), obj.get_interface(CARD).get_cached_property("Id").unpack(), flush=True)
call("RunCard", GLib.Variant("(s)", ("lamp",)))
GLib.timeout_add_seconds(20, loop.quit)
loop.run()
