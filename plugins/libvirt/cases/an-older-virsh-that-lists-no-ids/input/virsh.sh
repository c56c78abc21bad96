case "$commands" in
*--id*)
  echo "error: command 'list' doesn't support option --id" >&2
  exit 1
  ;;
*domstats*) cat domstats.txt ;;
*) definitions ;;
esac
