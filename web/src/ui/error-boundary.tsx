import { Component, type ReactNode } from "react";
import { Button } from "./button";
import { EmptyState } from "./states";

/** Catches what a page throws while it draws; the rest of the application stays. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <main className="page page-plain" role="alert">
        <EmptyState
          icon="warning"
          title="This page stopped working"
          action={
            <>
              <Button icon="refresh" look="primary" onClick={() => window.location.reload()}>
                Reload the page
              </Button>
              <Button onClick={() => this.setState({ error: null })}>Try again</Button>
            </>
          }
        >
          {error.message}
        </EmptyState>
      </main>
    );
  }
}
