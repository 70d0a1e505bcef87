#!/usr/bin/env bash
# Runs the benchmark suite with one command and leaves nothing running, even after Ctrl-C. See README.md beside it.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: bench/run-benchmark.sh VERB [options]

  all                      everything, interleaved; at most 30 minutes
  64|128|256|512|1024      one shard count
  throughput               closed-loop publishing and fan-out over all shard counts
  latency                  open-loop publishing over all shard counts
  processes                closed-loop publishing over clusters of 1, 2 and 4 processes
  scale 1k|10k|100k        that many users with a socket each, held at once by one cluster
  return [10k]             that many clients come back after a full restart and catch up
  compare A B              two results side by side, with ratios and 95 % intervals
  report DIR               writes the report of a result again
  docs RESULT              writes the figures of a result into the documents of this folder
  smoke                    the regression gate: a short run against baseline.json
  k6                       the k6 scripts for a few seconds each, where k6 can be had
  stop                     ends whatever an earlier run left behind

  --local                  local processes (the default where Docker is missing)
  --docker                 the containers of docker-compose.benchmark.yml
  --rounds N               visits to each server, 3 unless told
  --processes N            of scale: server processes, as many as the file limit asks for unless told
  --only NAME              only the server of this name; may be given again
  --against NAME=BINARY    the same load on a Gotify binary, or on any server as NAME=http://host:port
  --against-env KEY=VALUE  a setting of that binary; may be given again
  --against-image NAME=IMAGE  the same load on a Gotify image (needs Docker)
  --out DIR                results go here instead of bench/results/<date>
TEXT
}

BENCH="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
ROOT="$(dirname "$BENCH")"
CLI="$BENCH/dist/src/cli.js"
COMPOSE=(docker compose -f "$ROOT/docker-compose.benchmark.yml")
K6_VERSION=v1.8.1
K6_IMAGE=grafana/k6:1.8.1
OTHER_CONTAINER="bellwire-benchmark-other-$$"
SHARD_COUNTS=(64 128 256 512 1024)

mode=''
verb=''
arguments=()
image=''
cli_pid=''
has_containers=no
names=0

refuse() { echo "$1" >&2; exit 2; }

need_value() { (($# > 1)) && [[ -n $2 && $2 != --* ]] || refuse "$1 needs a value"; }

need_count() {
  need_value "$@"
  [[ $2 =~ ^[1-9][0-9]{0,5}$ ]] || refuse "$1 needs a whole number from 1, not \"$2\""
}

# What may follow the verb, before anything is built or started.
need_names() {
  local least=0 most=0
  case "$verb" in
    compare) least=2 most=2 ;;
    report | docs) least=1 most=1 ;;
    scale | return) most=1 ;;
  esac
  ((names >= least)) || refuse "$verb needs the name of $least result$( ((least == 1)) || echo s); see --help"
  ((names <= most)) || refuse "Too many words after $verb; see --help"
}

while (($#)); do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --local) mode=local ;;
    --docker) mode=docker ;;
    --against-image) need_value "$@"; image="$2"; shift ;;
    --rounds | --processes) need_count "$@"; arguments+=("$1" "$2"); shift ;;
    --only | --against | --against-env | --out) need_value "$@"; arguments+=("$1" "$2"); shift ;;
    -*) refuse "Unknown option $1; --help lists them" ;;
    *) if [[ -z $verb ]]; then verb="$1"; else arguments+=("$1"); names=$((names + 1)); fi ;;
  esac
  shift
done
[[ -n $verb ]] || { usage >&2; exit 2; }
need_names

has_docker() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

has_image() { docker image inspect "$1" >/dev/null 2>&1 || docker pull --quiet "$1" >&2; }

build() {
  [[ -d $ROOT/node_modules ]] || (cd "$ROOT" && npx --yes pnpm@10.34.9 install --frozen-lockfile)
  (cd "$ROOT" && ./node_modules/.bin/tsc -b)
}

cli() { node "$CLI" "$@"; }

# k6 from PATH, else built once from its module, else the image through a small wrapper; prints nothing without any.
find_k6() {
  if command -v k6 >/dev/null; then command -v k6; return; fi
  if [[ -x $BENCH/.bin/k6 ]]; then echo "$BENCH/.bin/k6"; return; fi
  if command -v go >/dev/null; then
    echo "Building k6 $K6_VERSION once (a few minutes)" >&2
    if GOBIN="$BENCH/.bin" nice go install "go.k6.io/k6@$K6_VERSION" >&2; then
      echo "$BENCH/.bin/k6"
      return
    fi
  fi
  if has_docker && has_image "$K6_IMAGE"; then
    mkdir -p "$BENCH/.bin"
    cat >"$BENCH/.bin/k6-image" <<SH
#!/bin/sh
exec docker run --rm --network host --user "\$(id -u)" -v "$ROOT:$ROOT" $K6_IMAGE "\$@"
SH
    chmod +x "$BENCH/.bin/k6-image"
    echo "$BENCH/.bin/k6-image"
  fi
}

cleanup() {
  local status=$?
  trap - EXIT
  # A second Ctrl-C must not leave half of it running. Each step has a bound of its own.
  trap '' INT TERM
  if [[ -n $cli_pid ]] && kill -0 "$cli_pid" 2>/dev/null; then
    kill -TERM "$cli_pid" 2>/dev/null || true
    wait "$cli_pid" 2>/dev/null || true
  fi
  # Only where the run itself was killed there is a list left.
  [[ -z $cli_pid || ! -f $BENCH/.work/running-$cli_pid ]] || cli stop "$cli_pid" || true
  [[ -z $image ]] || docker rm --force --volumes "$OTHER_CONTAINER" >/dev/null 2>&1 || true
  if [[ $has_containers == yes ]]; then setsid --wait "${COMPOSE[@]}" down --volumes --timeout 20 || true; fi
  exit "$status"
}

start_containers() {
  local counts=("${SHARD_COUNTS[@]}") count id
  [[ $verb =~ ^[0-9]+$ ]] && counts=("$verb")
  has_containers=yes
  "${COMPOSE[@]}" up --build --detach --wait "${counts[@]/#/gotify-}"
  for count in "${counts[@]}"; do
    id="$("${COMPOSE[@]}" ps --quiet "gotify-$count")"
    arguments+=(--remote "shards-$count=$(container_url "$id" 8080)")
  done
}

# The container's own address where this machine reaches it: behind a published port stands Docker's proxy, which needs
# six files a connection and adds its own latency. Else (rootless Docker) the published port.
container_url() {
  local own
  own="http://$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"):$2"
  if curl --silent --fail --max-time 2 --output /dev/null "$own/health"; then echo "$own"; return; fi
  echo "http://$(docker port "$1" "$2" | head -n 1)"
}

start_other_image() {
  docker run --rm --detach --name "$OTHER_CONTAINER" --publish 127.0.0.1::80 --ulimit "nofile=${NOFILE:-200000}" \
    --env GOTIFY_PASSSTRENGTH=4 "${image#*=}" >/dev/null
  local published
  published="http://$(docker port "$OTHER_CONTAINER" 80)"
  for _ in $(seq 60); do
    if curl --silent --fail "$published/health" >/dev/null; then
      arguments+=(--against "${image%%=*}=$(container_url "$OTHER_CONTAINER" 80)")
      return
    fi
    sleep 0.5
  done
  echo "The image ${image#*=} did not get healthy" >&2
  return 1
}

# In the background, so that a signal reaches this script at once and not after the run.
run_node() {
  node "$@" &
  cli_pid=$!
  wait "$cli_pid"
}

end_all_at_exit() {
  trap cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

case "$verb" in
  stop)
    build
    cli stop
    if has_docker; then "${COMPOSE[@]}" --profile '*' down --volumes --timeout 20; fi
    ;;
  compare | report)
    build
    cli "$verb" ${arguments[@]+"${arguments[@]}"}
    ;;
  smoke)
    end_all_at_exit
    build
    run_node "$CLI" smoke
    ;;
  k6)
    end_all_at_exit
    build
    find_k6 >/dev/null
    run_node "$BENCH/dist/test/k6.test.js"
    ;;
  docs)
    build
    cli docs ${arguments[@]+"${arguments[@]}"}
    "$ROOT/node_modules/.bin/prettier" --log-level warn --write "$BENCH"/*.md
    ;;
  all | 64 | 128 | 256 | 512 | 1024 | throughput | latency | processes | scale | return)
    # Several processes, and restarts, are a matter of this machine, containers or not.
    [[ ! $verb =~ ^(processes|scale|return)$ ]] || mode=local
    if [[ -z $mode ]]; then mode=local; has_docker && mode=docker; fi
    end_all_at_exit
    build
    [[ $mode == docker ]] && start_containers
    [[ -z $image ]] || start_other_image
    if [[ $verb == all && $mode == local ]]; then
      k6="$(find_k6)"
      [[ -z $k6 ]] || arguments+=(--k6 "$k6")
    fi
    run_node "$CLI" "$verb" ${arguments[@]+"${arguments[@]}"}
    ;;
  *) refuse "Unknown verb $verb; --help lists them" ;;
esac
