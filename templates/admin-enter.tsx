/** @jsxImportSource hono/jsx */
import { type Frame, Layout } from "./layout.tsx";

/** Where an admin's link leads. `lasts`: how long a session does, in words. The form goes to the page's own address, so that the key stands nowhere in it. */
export function AdminEnterPage({ assets, version, lasts }: Frame & { lasts: string }) {
  return (
    <Layout assets={assets} version={version} title="Sign in – WisBot">
      <section class="card">
        <h1>Sign in as admin</h1>
        <p class="lead">
          You will see who asked which model, how it ended and how the model servers do, in this browser, for{" "}
          {lasts}. The link works once.
        </p>
        <form method="post" class="actions">
          <button type="submit" class="button primary">
            Sign in
          </button>
        </form>
      </section>
    </Layout>
  );
}
