/** @jsxImportSource hono/jsx */
import { Avatar } from "./avatar.tsx";
import { addressOf, DIRECT, people, servers } from "./places.ts";

export interface RailProps {
  /** Name of the person who looks. */
  as: string;
  /** Name of the channel, or `dm`. */
  channel: string;
}

const current = (is: boolean) => (is ? ("page" as const) : undefined);

const ChannelLink = ({
  name,
  sign,
  label,
  place,
}: Record<"name" | "sign" | "label", string> & { place: RailProps }) => (
  <li>
    <a
      href={addressOf({ ...place, channel: name })}
      aria-current={current(name === place.channel)}
      data-channel={name}
    >
      <span aria-hidden="true">{sign}</span>
      <span class="label">{label}</span>
      <span class="badge" hidden />
    </a>
  </li>
);

/** Every channel and everybody that one can be. */
export function Rail({ as, channel }: RailProps) {
  const place = { as, channel };
  return (
    <nav class="rail" aria-label="Channels and people">
      <div class="places">
        {servers.map(({ name, channels }) => (
          <section>
            <h2>{name}</h2>
            <ul>
              {channels.map(({ name }) => (
                <ChannelLink name={name} sign="#" label={name} place={place} />
              ))}
            </ul>
          </section>
        ))}
        <section>
          <h2>Direct messages</h2>
          <ul>
            <ChannelLink name={DIRECT.name} sign="@" label="WisBot" place={place} />
          </ul>
        </section>
      </div>
      <section class="people">
        <h2>You are</h2>
        <ul>
          {people.map(({ name, displayName = name, moderator }) => (
            <li>
              <a href={addressOf({ ...place, as: name })} aria-current={current(name === place.as)}>
                <Avatar name={displayName} />
                <span class="label">
                  {displayName} <small>{moderator ? "moderator" : "member"}</small>
                </span>
              </a>
            </li>
          ))}
        </ul>
      </section>
    </nav>
  );
}
