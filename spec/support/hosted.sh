#!/usr/bin/env bash
# Usage: spec/support/hosted.sh neovim|nginx [ARGUMENT OF BUSTED]...
# Runs the specs inside Neovim, or in a timer of an nginx that is one process:
# those to which the loop that drives a call can make a difference. Not there
# are whole programs (#hosts), what takes long (#slow), what only a plain
# interpreter does (#plain), and the files named below.
set -eu
cd "$(dirname "$0")/../.."
host=$1
shift

exclude='--exclude-tags=hosts,slow,plain'
for file in memory process request retry sigv4 simulator; do
  exclude+=" --exclude-pattern=^$file"
done
export SPECS_ARGUMENTS="--ignore-lua -o plainTerminal -r luajit $exclude $*"
main="dofile 'spec/support/hosted.lua'"

if [ "$host" = neovim ]; then
  exec nvim --headless -u NONE -i NONE -n -c "lua $main()" < /dev/null
fi

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
{
  [ "$(id -u)" != 0 ] || echo 'user root;'
  # nginx hides the environment, but for what is named.
  env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/env \1;/p'
  cat << CONFIG
daemon off;
master_process off;
pid $dir/pid;
error_log $dir/error.log notice;
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path $dir/body;
  proxy_temp_path $dir/proxy;
  fastcgi_temp_path $dir/fastcgi;
  uwsgi_temp_path $dir/uwsgi;
  scgi_temp_path $dir/scgi;
  init_worker_by_lua_block { ngx.timer.at(0, $main) }
}
CONFIG
} > "$dir/nginx.conf"
status=0
nginx -e "$dir/error.log" -p "$PWD" -c "$dir/nginx.conf" < /dev/null || status=$?
[ $status = 0 ] || grep -v 'write guard' "$dir/error.log" >&2
exit $status
