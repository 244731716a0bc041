/** @jsxImportSource hono/jsx */
import { type Frame, Layout } from "./layout.tsx";

type ErrorPageProps = Frame & {
  status: number;
  /** The status in words, such as `Not Found`. */
  title: string;
  say: string;
  hint: string | undefined;
  errorId: string;
};

export function ErrorPage({ assets, version, status, title, say, hint, errorId }: ErrorPageProps) {
  return (
    <Layout assets={assets} version={version} title={`${title} – WisBot`}>
      <section class="card">
        <p class="eyebrow">
          {status} · {title}
        </p>
        <h1>{say}</h1>
        {hint && <p class="lead">{hint}</p>}
        <p class="actions">
          <a class="button" href="/">
            Go to the start
          </a>
        </p>
        <p class="quiet">
          Error id <code>{errorId}</code>
        </p>
      </section>
    </Layout>
  );
}
