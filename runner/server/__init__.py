"""The way in over HTTP: a forge's deliveries wake the loop, and whoever watches over it asks how it is."""
