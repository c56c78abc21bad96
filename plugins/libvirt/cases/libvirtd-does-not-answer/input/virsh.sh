echo "error: failed to connect to the hypervisor" >&2
echo "error: Failed to connect socket to '/var/run/libvirt/libvirt-sock-ro': No such file or directory" >&2
exit 1
