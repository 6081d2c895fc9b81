#!/bin/sh
# hold.sh GATE: holds a model request of Codex while its account is at a limit and resetbank keeps the gate.
# It fails open: whatever is missing, broken or unknown lets the request go, and Codex goes on as without it.
# Nothing from stdin becomes a path that is written, and no clock decides whether the keeper lives.
set -uf
LC_ALL=C PATH=/usr/bin:/bin:$PATH
export LC_ALL PATH
umask 077

POLLS_A_SECOND=4
DEAD_AFTER=24        # polls without a heartbeat
CAP=21600            # seconds of a hold that nobody asked for
LONGEST=691200       # seconds of a hold that the person asked for: a week and a day
GRACE=30             # seconds after the natural reset, when the service should have noticed it too
TAIL=262144          # bytes at the end of a transcript
GLANCE=24576         # bytes in which the last meter nearly always stands

gate=${1:-}
input= waiter= by= line_at=0 line_reset= polls=0 began=

go() { # go TEXT: let the request go; the text is what Codex shows of it
  trap '' HUP INT TERM
  if [ -n "$waiter" ]; then
    rm -f "$waiter" "$waiter.new"
    [ -z "$1" ] || printf 'resetbank: %s\n' "$1" >&2
  fi
  exit 0
}
trap 'go ""' HUP INT TERM

is_number() {
  case $1 in '' | *[!0-9]* | ???????????????????*) return 1 ;; esac
}

read_gate() {
  state= since= reset= account= providers= default= credits= note=
  [ -r "$gate/gate" ] || return 1
  while IFS=' ' read -r key value; do
    case $key in
      state) state=$value ;;
      since) since=$value ;;
      reset) reset=$value ;;
      account) account=$value ;;
      providers) providers=$value ;;
      default) default=$value ;;
      credits) credits=$value ;;
      note) note=$value ;;
    esac
  done <"$gate/gate"
  is_number "$since" || since=0
  is_number "$reset" || reset=
}

field() { # field NAME TEXT: sets found to the text after "NAME":, up to the next comma or brace
  case $2 in *"\"$1\":"*) ;; *) found=; return ;; esac
  found=${2#*"\"$1\":"}
  found=${found%%[,\}]*}
}

text_field() { # text_field NAME TEXT: the same for a value in quotes
  case $2 in *"\"$1\":\""*) ;; *) found=; return ;; esac
  found=${2#*"\"$1\":\""}
  found=${found%%\"*}
  case $found in *\\*) found= ;; esac
}

find_transcript() {
  text_field transcript_path "$input"
  case $found in /*) transcript=$found ;; *) transcript= ;; esac
  [ -z "$transcript" ] || { [ -f "$transcript" ] && [ -r "$transcript" ]; } || transcript=
}

is_ours() { # whether the thread spends the plan of the account that the gate is of; unknown is no
  [ -n "$account" ] || return 1
  if [ -z "$transcript" ]; then
    [ "$default" = yes ]
    return
  fi
  first=$(head -c 4096 "$transcript" 2>/dev/null)
  text_field creator_account_id "$first"
  [ "$found" = "$account" ] || return 1
  text_field model_provider "$first"
  [ -n "$found" ] || return 1
  case " $providers " in *" $found "*) return 0 ;; esac
  return 1
}

is_far_from_full() { # whether a glance at the transcript's end shows a meter, and none that is full: one process
  # Quotes within a text are escaped: what matches here is a meter of Codex's own, whoever wrote the texts around it.
  set -- "$(tail -c $GLANCE "$transcript" 2>/dev/null)"
  case $1 in *'"used_percent":'[1-9][0-9][0-9]*) return 1 ;; esac
  case $1 in *',"type":"event_msg","payload":{"type":"token_count",'*'"used_percent":'*) ;; *) return 1 ;; esac
}

is_full() { # whether the transcript's last meter says that a window is full now; sets line_at and line_reset
  [ -n "$transcript" ] || return 1
  ! is_far_from_full || return 1
  line=$(tail -c $TAIL "$transcript" 2>/dev/null | sed -n \
    -e '/^{"timestamp":"[^"]*",\("ordinal":[0-9]*,\)\{0,1\}"type":"event_msg","payload":{"type":"token_count",.*}}$/h' \
    -e '${x;p;}')
  case $line in *'"used_percent":'[1-9][0-9][0-9]*) ;; *) return 1 ;; esac
  case $line in *'"rate_limits":{'*) ;; *) return 1 ;; esac
  limits=${line#*'"rate_limits":{'}
  text_field limit_id "$limits"
  case $limits in *'"limit_id":null'*) found=codex ;; esac
  [ "$found" = codex ] || return 1
  case $limits in *'"spend_control_reached":true'*) return 1 ;; esac
  text_field rate_limit_reached_type "$limits"
  case $found in '' | rate_limit_reached) ;; *) return 1 ;; esac
  case $limits in *'"rate_limit_reached_type":{'*) return 1 ;; esac
  case $limits in
    *'"has_credits":true'* | *'"unlimited":true'*) [ "$credits" = hold ] || return 1 ;;
  esac
  now=$(date +%s)
  is_number "$now" || return 1
  line_reset=
  for slot in primary secondary; do
    case $limits in *"\"$slot\":{"*) ;; *) continue ;; esac
    window=${limits#*"\"$slot\":{"}
    window=${window%%\}*}
    field used_percent "$window"
    used=${found%%.*}
    field resets_at "$window"
    is_number "$used" && is_number "$found" || continue
    [ "$used" -ge 100 ] && [ "$found" -gt "$now" ] || continue
    [ -n "$line_reset" ] && [ "$line_reset" -ge "$found" ] || line_reset=$found
  done
  [ -n "$line_reset" ] || return 1
  text_field timestamp "$line"
  case $found in ????-??-??T??:??:??.???Z) ;; *) return 1 ;; esac
  IFS='-T:.Z'
  set -- $found
  unset IFS
  line_at=$1$2$3$4$5$6$7
  is_number "$line_at" && [ "$line_at" -gt "$since" ]
}

register() { # let the keeper see who waits
  if [ -r "/proc/$$/stat" ]; then
    IFS= read -r stat <"/proc/$$/stat"
    set -- ${stat##*) }
    started=${20}
  else
    started=$(ps -o lstart= -p $$) || return 1
  fi
  began=$(date +%s)
  file=$gate/waiting/$$
  waiter=$file # before it is there, so that a signal takes it along
  printf '%s %s\n%s\n%s\n' "$$" "$began" "$started" "$input" 2>/dev/null >"$file.new" &&
    mv -f "$file.new" "$file" 2>/dev/null && return
  waiter=
  rm -f "$file.new"
  return 1
}

plan_end() { # sets end and left: until when, and for how many more polls at most
  now=$(date +%s)
  is_number "$now" || go "held no longer: the date is unknown"
  if [ "$state" = wait ]; then
    most=$LONGEST end=${reset:-$now}
  else
    most=$CAP end=${reset:-$line_reset}
    [ "$by" = gate ] || end=$line_reset
    [ -n "$end" ] || end=$((now + CAP))
  fi
  end=$((end + GRACE))
  left=$((end - now))
  [ "$left" -le "$most" ] || left=$most
  left=$((left * POLLS_A_SECOND))
  [ "$left" -le $((most * POLLS_A_SECOND - polls)) ] || left=$((most * POLLS_A_SECOND - polls))
}

# stdin is read to its end in any case, so that Codex never meets a closed pipe.
while IFS= read -r line || [ -n "$line" ]; do input=$input$line; done
case $gate in /*) read_gate || exit 0 ;; *) exit 0 ;; esac
[ "$state" = wait ] || [ -e "$gate/heartbeat" ] || exit 0
find_transcript
case $state in
  closed | wait) by=gate ;;
  open) is_full || exit 0; by=line ;;
  *) exit 0 ;;
esac
is_ours || exit 0
register || exit 0

beat= still=0 planned=
while :; do
  case $state in
    closed | wait) by=gate ;;
    open) [ "$by" = line ] && [ "$line_at" -gt "$since" ] || go "${note:-the request goes on}" ;;
    *) go "${note:-the request goes on}" ;;
  esac
  if [ "$planned" != "$state $reset" ]; then
    plan_end
    planned="$state $reset"
  fi
  [ "$left" -gt 0 ] || go "held for as long as it may be; the request goes on"
  if [ $((polls % 20)) = 19 ]; then
    now=$(date +%s)
    is_number "$now" && [ "$now" -lt "$end" ] || go "the limit should have reset by now; the request goes on"
  fi
  if [ "$state" != wait ]; then
    last=$beat beat=
    if [ ! -r "$gate/heartbeat" ]; then
      # Its last word may have come since this one was read.
      if [ "$by" = gate ] && read_gate; then
        case $state in closed) ;; wait) continue ;; *) go "${note:-the request goes on}" ;; esac
      fi
      go "no resetbank runs any more; the request goes on"
    fi
    IFS= read -r beat <"$gate/heartbeat"
    if [ "$beat" = "$last" ]; then still=$((still + 1)); else still=0; fi
    if [ $still -ge $DEAD_AFTER ]; then
      rm -f "$gate/heartbeat" # so that the next request does not wait for a dead keeper
      go "resetbank does not answer; the request goes on"
    fi
  fi
  # An orphan, whose Codex was killed, gets no signal; but nobody reads its output any more.
  [ $((polls % 2)) = 0 ] || (echo) 2>/dev/null || go ""
  sleep 0.25 2>/dev/null || sleep 1 2>/dev/null || go ""
  polls=$((polls + 1)) left=$((left - 1))
  [ -e "$waiter" ] || exit 0
  read_gate || go "the gate is gone; the request goes on"
done
